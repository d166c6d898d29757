"""Deploys the system and leaves production without its permission."""

from system import *

api = deploy()
equal(request(api, "production", "/ada", "Ada")[0], 200)
lambda_.remove_permission(FunctionName="users", Qualifier="production", StatementId="gateway-production")
print(api)
print("ok")
