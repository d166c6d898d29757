// Command provided is the bench's handler in Go, with AWS's library, for the
// runtime provided.al2023.
package main

import "github.com/aws/aws-lambda-go/lambda"

type event struct {
	ID    string `json:"id"`
	Stage string `json:"stage"`
}

type answer struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Stage string `json:"stage"`
}

func main() {
	lambda.Start(func(e event) (answer, error) { return answer{e.ID, "Ada", e.Stage}, nil })
}
