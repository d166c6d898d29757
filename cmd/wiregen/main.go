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
	"regexp"
)

// services are the API models butai speaks, by botocore directory and version.
// Of one with a Part, the model keeps the shapes of those operations alone: the
// rest are names, enough to say that butai doesn't do them.
var services = []struct {
	Name, Version string
	Part          *regexp.Regexp
}{
	{Name: "acm", Version: "2015-12-08"},
	{Name: "apigateway", Version: "2015-07-09"},
	{Name: "apigatewayv2", Version: "2018-11-29"},
	{Name: "cloudwatch", Version: "2010-08-01"},
	{Name: "dynamodb", Version: "2012-08-10"},
	{Name: "dynamodbstreams", Version: "2012-08-10"},
	{Name: "ecr", Version: "2015-09-21"},
	{Name: "events", Version: "2015-10-07"},
	{Name: "iam", Version: "2010-05-08"},
	{Name: "kms", Version: "2014-11-01"},
	{Name: "lambda", Version: "2015-03-31"},
	{Name: "logs", Version: "2014-03-28"},
	{Name: "route53", Version: "2013-04-01"},
	{Name: "s3", Version: "2006-03-01"},
	{Name: "secretsmanager", Version: "2017-10-17"},
	{Name: "sns", Version: "2010-03-31"},
	{Name: "sqs", Version: "2012-11-05"},
	{Name: "ssm", Version: "2014-11-06", Part: parameterStore},
	{Name: "sts", Version: "2011-06-15"},
}

// parameterStore are the operations of Systems Manager that Parameter Store
// has; it has 130 others.
var parameterStore = regexp.MustCompile(`Parameter|Tags(To|From|For)Resource$`)

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
