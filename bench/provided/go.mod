// A module of its own: only this program needs AWS's library.
module github.com/butai-dev/butai/bench/provided

go 1.26.0

require github.com/aws/aws-lambda-go v1.55.1
