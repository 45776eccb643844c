//! Zips that are too large for a request go through a bucket of the region.

use std::path::Path;
use std::process::Output;
use std::sync::OnceLock;

use axum::http::Method;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::{LAYER, done, make_layer, noise, run, text, zip_name};
use crate::aws::Account;
use crate::aws::proxy::faults::{Answer, Cut};

/// A folder with a layer above what a request takes, made once.
fn project() -> &'static Path {
    static PROJECT: OnceLock<tempfile::TempDir> = OnceLock::new();
    let project = PROJECT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("dist")).expect("a folder");
        make_layer(folder.path(), "models", &noise(2, 53_000_000));
        folder
    });
    project.path()
}

/// A folder of one's own with that layer.
fn copied() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("dist")).expect("a folder");
    let zip = zip_name("models");
    std::fs::hard_link(project().join(&zip), folder.path().join(&zip)).expect("a link");
    folder
}

/// Publishes through a bucket by that template.
fn publish(account: &Account, regions: &str, bucket: &str, more: &[&str]) -> Output {
    let folder = copied();
    let arguments = ["publish", "--region", regions, "--s3-bucket", bucket];
    run(account, folder.path(), &[&arguments, more].concat())
}

#[test]
fn a_large_zip_goes_in_parts_through_a_bucket_of_the_region_and_is_removed_there() {
    let account = Account::new();
    let bucket = format!("publish-{}-eu-west-1", account.number());
    let template = "publish-{account}-{region}";
    account.create_bucket("eu-west-1", &bucket);
    let zip = std::fs::read(project().join(zip_name("models"))).expect("a zip");
    let sha256 = Sha256::digest(&zip);
    // What a run that was broken off has left: moto says of every upload that it began in 2010.
    let digits: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = format!("/{bucket}/r-layer/{digits}.zip?uploads");
    account.ask("s3", "eu-west-1", Method::POST, &path, String::new());
    assert_eq!(account.uploads("eu-west-1", &bucket).len(), 1);
    // A part that is lost on the way is sent again.
    let part = account.proxy.on("UploadPart").nth(2);
    part.cut(Cut::AfterBytes(100_000));
    let out = done(publish(&account, "eu-west-1", template, &[]));
    assert!(out.contains("1 published"), "{out}");
    let [version] = &account.layer_versions("eu-west-1", LAYER)[..] else {
        panic!("one version")
    };
    assert_eq!(version.code_sha256, BASE64_STANDARD.encode(sha256));
    assert_eq!(account.objects("eu-west-1", &bucket), [""; 0]);
    assert_eq!(account.uploads("eu-west-1", &bucket), [""; 0]);
    let parts = account.proxy.count("UploadPart");
    assert_eq!(parts, zip.len().div_ceil(8 << 20) + 1);
    // Again: nothing is uploaded. With a bucket of another name, and --keep, for a version that is not there.
    account.proxy.forget();
    done(publish(&account, "eu-west-1", template, &[]));
    assert_eq!(account.proxy.changes(), Vec::<String>::new());
    let kept = format!("publish-{}-kept", account.number());
    account.create_bucket("sa-east-1", &kept);
    done(publish(&account, "sa-east-1", &kept, &["--keep"]));
    assert_eq!(account.objects("sa-east-1", &kept).len(), 1);
}

#[test]
fn what_a_bucket_refuses_is_told_with_what_helps() {
    let account = Account::new();
    let bucket = format!("publish-{}-refused", account.number());
    account.create_bucket("eu-west-1", &bucket);
    // All regions have the same bucket here, and moto's uploads look abandoned.
    let unlisted = account.proxy.on("ListMultipartUploads");
    unlisted.answer(Answer::s3_error(403, "AccessDenied", "Access Denied"));
    let create = |region: &str| account.proxy.on("CreateMultipartUpload").in_region(region);
    let elsewhere = Answer::s3_error(301, "PermanentRedirect", "use the specified endpoint");
    create("eu-west-2").answer(elsewhere.header("x-amz-bucket-region", "eu-west-1"));
    create("eu-west-3").answer(Answer::s3_error(403, "AccessDenied", "Access Denied"));
    create("eu-north-1").answer(Answer::s3_error(404, "NoSuchBucket", "does not exist"));
    let denied = "Your access has been denied by S3, please make sure your request credentials have permission to \
                  GetObject for the key. S3 Error Code: AccessDenied. S3 Error Message: Access Denied";
    let unread = account
        .proxy
        .on("PublishLayerVersion")
        .in_region("eu-west-1");
    unread.answer(Answer::error(403, "AccessDeniedException", denied));
    let regions = "eu-west-1,eu-west-2,eu-west-3,eu-north-1";
    let output = publish(&account, regions, &bucket, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let out = text(&output.stdout);
    for words in [
        format!("the bucket {bucket} is not in eu-west-2"),
        "it is in eu-west-1".to_owned(),
        "--s3-bucket 'NAME-{region}'".to_owned(),
        r#""Action":"s3:PutObject""#.to_owned(),
        format!("aws s3 mb s3://{bucket} --region eu-north-1"),
        r#""Action":"s3:GetObject""#.to_owned(),
        format!("arn:aws:s3:::{bucket}/r-layer/"),
    ] {
        assert!(out.contains(&words), "{words}: {out}");
    }
    assert_eq!(account.objects("eu-west-1", &bucket), [""; 0]);
    // Without a bucket nobody is asked.
    account.proxy.forget();
    let output = run(
        &account,
        copied().path(),
        &["publish", "--region", "eu-west-1"],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("--s3-bucket"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(account.proxy.requests().len(), 0);
}

#[test]
fn an_object_that_may_not_be_removed_is_told_and_is_no_failure() {
    let account = Account::new();
    let bucket = format!("publish-{}-stays", account.number());
    account.create_bucket("eu-west-1", &bucket);
    let denied = || Answer::s3_error(403, "AccessDenied", "Access Denied");
    account.proxy.on("DeleteObject").answer(denied());
    // Who may not list uploads leaves abandoned ones.
    account.proxy.on("ListMultipartUploads").answer(denied());
    let output = publish(&account, "eu-west-1", &bucket, &[]);
    let told = text(&output.stderr);
    done(output);
    assert!(
        told.contains(&format!("s3://{bucket}/r-layer/")) && told.contains("s3:DeleteObject"),
        "{told}"
    );
}
