// A module of its own: only this test program needs AWS's library.
module lambdago

go 1.26.0

require github.com/aws/aws-lambda-go v1.55.1
