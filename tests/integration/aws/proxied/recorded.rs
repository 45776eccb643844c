use std::collections::BTreeSet;

use super::super::Account;
use crate::parts::succeed;

/// Calls operations by boto3's names, and prints the names that AWS has for them.
const CALLS: &str = r#"
import boto3, io, json, zipfile
from botocore.config import Config

names = []
def client(service, region):
    client = boto3.client(service, region_name=region, config=Config(retries={"total_max_attempts": 1}))
    client.meta.events.register("before-call", lambda model, **_: names.append([region, model.name]))
    return client

zip = io.BytesIO()
with zipfile.ZipFile(zip, "w") as archive:
    archive.writestr("file", "content")
zip = zip.getvalue()

awslambda = client("lambda", "eu-west-1")
version = dict(LayerName="layer", VersionNumber=1)
published = awslambda.publish_layer_version(LayerName="layer", Content={"ZipFile": zip})
awslambda.list_layers()
awslambda.list_layer_versions(LayerName="layer")
awslambda.get_layer_version(**version)
awslambda.get_layer_version_by_arn(Arn=published["LayerVersionArn"])
awslambda.add_layer_version_permission(**version, StatementId="all", Action="lambda:GetLayerVersion", Principal="*")
awslambda.get_layer_version_policy(**version)
awslambda.remove_layer_version_permission(**version, StatementId="all")
awslambda.get_account_settings()

trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}
role = client("iam", "us-east-1").create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
named = dict(FunctionName="function")
awslambda.create_function(**named, Role=role, Runtime="provided.al2023", Handler="a.b", Code={"ZipFile": zip})
awslambda.get_function(**named)
awslambda.get_function_configuration(**named)
awslambda.update_function_configuration(**named, Layers=[published["LayerVersionArn"]])
awslambda.update_function_code(**named, ZipFile=zip)
awslambda.publish_version(**named)
awslambda.create_alias(**named, Name="live", FunctionVersion="1")
awslambda.update_alias(**named, Name="live", FunctionVersion="1")
awslambda.get_alias(**named, Name="live")
awslambda.create_function_url_config(**named, AuthType="AWS_IAM")
awslambda.get_function_url_config(**named)
awslambda.list_tags(Resource=awslambda.get_function(**named)["Configuration"]["FunctionArn"])
awslambda.list_functions()
awslambda.delete_function(**named)
awslambda.delete_layer_version(**version)

s3 = client("s3", "ap-east-2")
bucket = dict(Bucket="recorded-operations")
s3.create_bucket(**bucket, CreateBucketConfiguration={"LocationConstraint": "ap-east-2"})
s3.head_bucket(**bucket)
s3.get_bucket_location(**bucket)
s3.put_object(**bucket, Key="a/b.zip", Body=zip)
s3.head_object(**bucket, Key="a/b.zip")
s3.get_object(**bucket, Key="a/b.zip")
s3.list_objects_v2(**bucket)
upload = s3.create_multipart_upload(**bucket, Key="c")["UploadId"]
etag = s3.upload_part(**bucket, Key="c", UploadId=upload, PartNumber=1, Body=zip)["ETag"]
s3.list_parts(**bucket, Key="c", UploadId=upload)
s3.complete_multipart_upload(**bucket, Key="c", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
upload = s3.create_multipart_upload(**bucket, Key="d")["UploadId"]
s3.list_multipart_uploads(**bucket)
s3.abort_multipart_upload(**bucket, Key="d", UploadId=upload)
s3.delete_object(**bucket, Key="c")
s3.delete_objects(**bucket, Delete={"Objects": [{"Key": "a/b.zip"}]})
s3.delete_bucket(**bucket)

ssm = client("ssm", "sa-east-1")
ssm.put_parameter(Name="/r/layer", Value="arn", Type="String")
ssm.get_parameter(Name="/r/layer")
client("sts", "mx-central-1").get_caller_identity()
print(json.dumps(names))
"#;

#[test]
fn operations_are_recorded_by_aws_own_names_in_their_regions_and_as_reads_or_changes() {
    let account = Account::new();
    let printed = succeed(&mut account.python(CALLS)).stdout;
    let called: Vec<(String, String)> = serde_json::from_slice(&printed).expect("JSON");
    let requests = account.proxy.requests();
    let recorded: Vec<(String, String)> = requests
        .iter()
        .map(|request| (request.region().to_owned(), request.name().to_owned()))
        .collect();
    assert_eq!(recorded, called);
    let failed: Vec<_> = requests
        .iter()
        .filter(|request| request.status.is_none_or(|status| status >= 300))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let reading: BTreeSet<String> = requests
        .iter()
        .filter(|request| !request.changes())
        .map(|request| request.name().to_owned())
        .collect();
    let verbs: BTreeSet<&str> = reading
        .iter()
        .filter_map(|name| name.get(..name[1..].find(char::is_uppercase)? + 1))
        .collect();
    assert_eq!(verbs, BTreeSet::from(["Get", "Head", "List"]));
    let changes = account.proxy.changes();
    for name in [
        "PublishLayerVersion",
        "PutParameter",
        "UploadPart",
        "DeleteLayerVersion",
        "CreateRole",
    ] {
        assert!(
            changes.iter().any(|change| change == name),
            "{name} is not in {changes:?}"
        );
    }
}
