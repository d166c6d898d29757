package managed

// knownIDs are PolicyIds as IAM's ListPolicies gives them.
var knownIDs = map[string]string{
	"AdministratorAccess":                  "ANPAIWMBCKSKIEE64ZLYK",
	"AmazonAPIGatewayAdministrator":        "ANPAJ4PT6VY5NLKTNUYSI",
	"AmazonAPIGatewayInvokeFullAccess":     "ANPAIIWAX2NOOQJ4AIEQ6",
	"AmazonAPIGatewayPushToCloudWatchLogs": "ANPAIK4GFO7HLKYN64ASK",
	"AmazonDynamoDBFullAccess":             "ANPAINUGF2JSOSUY76KYA",
	"AmazonDynamoDBReadOnlyAccess":         "ANPAIY2XFNA232XJ6J7X2",
	"AmazonRoute53FullAccess":              "ANPAJWVDLG5RPST6PHQ3A",
	"AmazonS3FullAccess":                   "ANPAIFIR6V6BVTRAHWINE",
	"AmazonS3ReadOnlyAccess":               "ANPAIZTJ4DXE7G6AGAE6M",
	"AWSLambdaBasicExecutionRole":          "ANPAJNCQGXC42545SKXIK",
	"AWSLambdaDynamoDBExecutionRole":       "ANPAIP7WNAGMIPYNW4WQG",
	"AWSLambdaExecute":                     "ANPAJE5FX7FQZSU5XAKGO",
	"AWSLambdaInvocation-DynamoDB":         "ANPAJTHQ3EKCQALQDYG5G",
	"AWSLambdaRole":                        "ANPAJX4DPCRGTC4NFDUXI",
	"AWSLambdaVPCAccessExecutionRole":      "ANPAJVTME3YLVNL72YR2K",
	"CloudWatchLogsFullAccess":             "ANPAJ3ZGNWK2R5HW5BQFO",
	"CloudWatchLogsReadOnlyAccess":         "ANPAJ2YIYDYSNNEHK3VKW",
	"IAMFullAccess":                        "ANPAI7XKCFMBPM3QQRRVQ",
	"IAMReadOnlyAccess":                    "ANPAJKSO7NDY4T57MWDSQ",
	"PowerUserAccess":                      "ANPAJYRXTHIB4FOVS3ZXS",
	"ReadOnlyAccess":                       "ANPAILL3HVNFSB6DCOWYQ",
}
