// Command wiregen turns AWS's public API models into butai's wire layer.
//
//	wiregen extract -botocore DIR -models models   reads botocore's service models and writes the bare facts
//	wiregen generate -models models -out internal/api   writes one Go package per service
//
// extract needs a botocore data directory (any installation of the Python
// package has one); generate needs only the committed models.
package main

import (
	"flag"
	"fmt"
	"os"
)

// services are the API models butai speaks, by botocore directory and version.
var services = []struct{ Name, Version string }{
	{"acm", "2015-12-08"},
	{"apigateway", "2015-07-09"},
	{"apigatewayv2", "2018-11-29"},
	{"cloudwatch", "2010-08-01"},
	{"dynamodb", "2012-08-10"},
	{"dynamodbstreams", "2012-08-10"},
	{"ecr", "2015-09-21"},
	{"events", "2015-10-07"},
	{"iam", "2010-05-08"},
	{"lambda", "2015-03-31"},
	{"logs", "2014-03-28"},
	{"route53", "2013-04-01"},
	{"s3", "2006-03-01"},
	{"sns", "2010-03-31"},
	{"sqs", "2012-11-05"},
	{"sts", "2011-06-15"},
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "wiregen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("want a command: extract or generate")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	models := flags.String("models", "models", "directory of the committed models")
	switch args[0] {
	case "extract":
		botocore := flags.String("botocore", "", "botocore's data directory")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return extract(*botocore, *models)
	case "generate":
		out := flags.String("out", "internal/api", "directory of the generated packages")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return generate(*models, *out)
	default:
		return fmt.Errorf("unknown command %q: want extract or generate", args[0])
	}
}
