"""Groups: their policies are those of the users in them."""

from system import *


def as_user(name, service):
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client(service, aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"])


def says(code, message, call, **arguments):
    equal(refused(call, **arguments)[:2], (code, message))


group = iam.create_group(GroupName="readers", Path="/team/")["Group"]
equal(group["Arn"], "arn:aws:iam::%s:group/team/readers" % ACCOUNT)
assert group["GroupId"].startswith("AGPA"), group
says("EntityAlreadyExists", "Group with name Readers already exists.", iam.create_group, GroupName="Readers")
says("NoSuchEntity", "The group with name nobody cannot be found.", iam.get_group, GroupName="nobody")
iam.create_user(UserName="ann")
says("NoSuchEntity", "The group with name nobody cannot be found.", iam.add_user_to_group, GroupName="nobody", UserName="ann")
says("NoSuchEntity", "The user with name bob cannot be found.", iam.add_user_to_group, GroupName="readers", UserName="bob")

tables = as_user("ann", "dynamodb")
equal(refused(tables.list_tables)[0], "AccessDeniedException")
iam.put_group_policy(GroupName="readers", PolicyName="list", PolicyDocument=policy("Allow", "dynamodb:ListTables"))
equal(refused(tables.list_tables)[0], "AccessDeniedException")
for _ in range(2):
    iam.add_user_to_group(GroupName="readers", UserName="ann")
tables.list_tables()
equal([g["GroupName"] for g in iam.list_groups_for_user(UserName="ann")["Groups"]], ["readers"])
equal([u["UserName"] for u in iam.get_group(GroupName="readers")["Users"]], ["ann"])
equal([g["Arn"] for g in iam.list_groups(PathPrefix="/team/")["Groups"]], [group["Arn"]])
equal(iam.list_groups(PathPrefix="/other/")["Groups"], [])

# Managed policies, whose ends are seen from both sides.
managed = iam.create_policy(PolicyName="stop", PolicyDocument=policy("Deny", "dynamodb:ListTables"))["Policy"]["Arn"]
iam.attach_group_policy(GroupName="readers", PolicyArn=managed)
error = refused(tables.list_tables)
assert error[1].endswith("with an explicit deny in an identity-based policy: " + managed), error
equal(iam.list_attached_group_policies(GroupName="readers")["AttachedPolicies"], [{"PolicyName": "stop", "PolicyArn": managed}])
equal([g["GroupName"] for g in iam.list_entities_for_policy(PolicyArn=managed)["PolicyGroups"]], ["readers"])
equal(iam.get_policy(PolicyArn=managed)["Policy"]["AttachmentCount"], 1)
equal(refused(iam.delete_policy, PolicyArn=managed)[0], "DeleteConflict")
iam.detach_group_policy(GroupName="readers", PolicyArn=managed)
tables.list_tables()

# Names change, users stay; and nothing is deleted that is in use.
iam.update_group(GroupName="readers", NewGroupName="listers", NewPath="/")
iam.update_user(UserName="ann", NewUserName="anna")
tables.list_tables()
equal(iam.get_group(GroupName="listers")["Group"]["Arn"], "arn:aws:iam::%s:group/listers" % ACCOUNT)
equal([u["UserName"] for u in iam.get_group(GroupName="listers")["Users"]], ["anna"])
equal(iam.list_group_policies(GroupName="listers")["PolicyNames"], ["list"])
equal(iam.get_group_policy(GroupName="listers", PolicyName="list")["PolicyDocument"]["Statement"][0]["Action"], "dynamodb:ListTables")
for access_key in iam.list_access_keys(UserName="anna")["AccessKeyMetadata"]:
    tables.list_tables()
    iam.delete_access_key(UserName="anna", AccessKeyId=access_key["AccessKeyId"])
says("DeleteConflict", "Cannot delete entity, must remove users from group first.", iam.delete_user, UserName="anna")
says("DeleteConflict", "Cannot delete entity, must remove users from group first.", iam.delete_group, GroupName="listers")
for _ in range(2):
    iam.remove_user_from_group(GroupName="listers", UserName="anna")
iam.delete_user(UserName="anna")
says("DeleteConflict", "Cannot delete entity, must delete policies first.", iam.delete_group, GroupName="listers")
iam.delete_group_policy(GroupName="listers", PolicyName="list")
iam.delete_group(GroupName="listers")
equal(iam.list_groups()["Groups"], [])
print("ok")
