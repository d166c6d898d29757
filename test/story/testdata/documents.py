"""An API from an OpenAPI document: imported, tested before it is deployed, deployed, called, exported, imported again."""

from system import *

PEOPLE = """
openapi: 3.0.1
info:
  title: people
  version: "2026-11-28"
paths:
  /people/{id}:
    get:
      operationId: GetPerson
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: verbose, in: query, required: true, schema: {type: boolean}}
      responses:
        "200":
          description: 200 response
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Person"}
        "404":
          description: 404 response
      x-amazon-apigateway-request-validator: params
      x-amazon-apigateway-integration:
        type: aws
        httpMethod: POST
        uri: arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/FUNCTION/invocations
        passthroughBehavior: never
        requestTemplates:
          application/json: '{"id": "$input.params(''id'')", "stage": "$context.stage", "greeting": "$stageVariables.greeting"}'
        responses:
          default: {statusCode: "200"}
          ".*not found.*": {statusCode: "404", responseTemplates: {application/json: '{"missing": "$input.params(''id'')"}'}}
components:
  schemas:
    Person: {type: object, required: [id], properties: {id: {type: string}, greeting: {type: string}}}
x-amazon-apigateway-request-validators:
  params: {validateRequestBody: false, validateRequestParameters: true}
x-amazon-apigateway-gateway-responses:
  BAD_REQUEST_PARAMETERS:
    statusCode: 422
    responseTemplates: {application/json: '{"wrong": $context.error.messageString}'}
x-amazon-apigateway-documentation:
  documentationParts:
    - {location: {type: METHOD, path: "/people/{id}", method: GET}, properties: {summary: Finds a person.}}
"""

HANDLER = """
def handler(event, context):
    if event["id"] == "nobody":
        raise Exception("nobody was not found")
    return event
"""

arn = function("people", HANDLER, role("people"))
api = apigateway.import_rest_api(body=PEOPLE.replace("FUNCTION", arn).encode(), failOnWarnings=True, parameters={"endpointConfigurationTypes": "REGIONAL"})
equal([api["name"], api["version"], api["endpointConfiguration"]["types"]], ["people", "2026-11-28", ["REGIONAL"]])
lambda_.add_permission(FunctionName="people", StatementId="gateway", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
                       SourceArn="arn:aws:execute-api:us-east-1:%s:%s/*/GET/people/*" % (ACCOUNT, api["id"]))
resource = [r for r in apigateway.get_resources(restApiId=api["id"])["items"] if r["path"] == "/people/{id}"][0]

# Nothing is deployed, and yet it can be tried out.
tried = apigateway.test_invoke_method(restApiId=api["id"], resourceId=resource["id"], httpMethod="GET",
                                      pathWithQueryString="/people/7?verbose=true", stageVariables={"greeting": "Hi"})
equal([tried["status"], json.loads(tried["body"])], [200, {"id": "7", "stage": "test-invoke-stage", "greeting": "Hi"}])
assert " : Endpoint request body after transformations: " in tried["log"] and tried["log"].endswith(" : Method completed with status: 200\n"), tried["log"]
tried = apigateway.test_invoke_method(restApiId=api["id"], resourceId=resource["id"], httpMethod="GET", pathWithQueryString="/people/nobody?verbose=1")
equal([tried["status"], tried["body"]], [404, '{"missing": "nobody"}'])

apigateway.create_documentation_version(restApiId=api["id"], documentationVersion="1")
apigateway.create_deployment(restApiId=api["id"], stageName="live", variables={"greeting": "Hello"})
apigateway.update_stage(restApiId=api["id"], stageName="live", patchOperations=[{"op": "replace", "path": "/documentationVersion", "value": "1"}])


def call(api_id, path):
    status, _, body = fetch("%s/_aws/execute-api/%s/live%s" % (os.environ["AWS_ENDPOINT_URL"], api_id, path))
    return [status, json.loads(body)]


equal(call(api["id"], "/people/7?verbose=1"), [200, {"id": "7", "stage": "live", "greeting": "Hello"}])
equal(call(api["id"], "/people/nobody?verbose=1"), [404, {"missing": "nobody"}])
equal(call(api["id"], "/people/7"), [422, {"wrong": "Missing required request parameters: [verbose]"}])

exported = apigateway.get_export(restApiId=api["id"], stageName="live", exportType="oas30", accepts="application/yaml", parameters={"extensions": "apigateway"})
equal(exported["contentDisposition"], 'attachment; filename="oas30_2026-11-28.yaml"')
document = exported["body"].read()
assert b'summary: "Finds a person."' in document, document

# What was exported makes the same API again.
again = apigateway.import_rest_api(body=document, failOnWarnings=True)
lambda_.add_permission(FunctionName="people", StatementId="again", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
                       SourceArn="arn:aws:execute-api:us-east-1:%s:%s/*/GET/people/*" % (ACCOUNT, again["id"]))
apigateway.create_deployment(restApiId=again["id"], stageName="live", variables={"greeting": "Hello"})
for path in ["/people/7?verbose=1", "/people/nobody?verbose=1", "/people/7"]:
    equal(call(again["id"], path), call(api["id"], path))

# A document with faults changes nothing and names them all.
equal(refused(apigateway.put_rest_api, restApiId=api["id"], mode="overwrite", body=PEOPLE.replace("arn:aws:apigateway", "nowhere").encode()),
      ("BadRequestException", "Errors found during import:\n"
       "\tUnable to put integration on 'GET' for resource at path '/people/{id}': Invalid ARN specified in the request"))
equal(apigateway.get_resource(restApiId=api["id"], resourceId=resource["id"])["path"], "/people/{id}")

print("ok")
