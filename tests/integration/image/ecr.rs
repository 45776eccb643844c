//! ECR: moto gives the token and makes the repository, and Debian's docker-registry, under ECR's name and with a certificate,
//! takes what that token may push.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::base::{Function, small_base};
use super::wire::proxy_to;
use crate::aws::Account;
use crate::oci::registry::Registry;
use crate::parts::{fail, succeed};

const REGION: &str = "eu-central-1";

/// A certificate for a name, that is its own authority.
fn certificate(folder: &Path, name: &str) {
    let mut openssl = Command::new("openssl");
    openssl
        .current_dir(folder)
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args([
            "-keyout",
            "key.pem",
            "-out",
            "certificate.pem",
            "-subj",
            "/CN=ecr",
        ])
        .args(["-addext", &format!("subjectAltName=DNS:{name}")])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    succeed(&mut openssl);
}

/// What moto gives as a password, as docker-registry keeps it.
fn password_line(account: &Account) -> String {
    let program = format!(
        "import base64, boto3, crypt, warnings\n\
         token = boto3.client('ecr', '{REGION}').get_authorization_token()['authorizationData'][0]['authorizationToken']\n\
         user, password = base64.b64decode(token).decode().split(':', 1)\n\
         print(user + ':' + crypt.crypt(password, '$2b$05$abcdefghijklmnopqrstuu').replace('$2b$', '$2y$', 1))\n"
    );
    let output = succeed(account.python(&program).env("PYTHONWARNINGS", "ignore"));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn aws_credentials_alone_are_enough_to_make_a_repository_and_push() {
    let function = Function::on(&small_base()).with_tiny_layer();
    function.built_tiny(&[]);
    let account = Account::new();
    let host = format!("{}.dkr.ecr.{REGION}.amazonaws.com", account.number());
    let name = format!("{host}/r/function:1");
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), &host);
    let (certificate, key) = (
        folder.path().join("certificate.pem"),
        folder.path().join("key.pem"),
    );
    let registry = Registry::start_with_tls(&password_line(&account), &certificate, &key);
    let proxy = proxy_to(registry.port());
    let push = |more: &[&str]| {
        let mut command = account.r_layer(function.project.folder.path());
        command
            .env("HTTPS_PROXY", &proxy)
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("SSL_CERT_FILE", &certificate)
            .args(["image", "push", &name, "--json"])
            .args(more);
        command
    };
    let output = succeed(&mut push(&["--create-repository"]));
    let pushed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(pushed["reference"], name);
    let described = format!(
        "import boto3\n\
         [one] = boto3.client('ecr', '{REGION}').describe_repositories()['repositories']\n\
         print(one['repositoryName'], one['imageScanningConfiguration']['scanOnPush'])\n"
    );
    let described = succeed(&mut account.python(&described)).stdout;
    assert_eq!(described, b"r/function True\n");
    // Once more: it is there already, and so are the blobs.
    let again: Value =
        serde_json::from_slice(&succeed(&mut push(&["--create-repository"])).stdout).unwrap();
    assert_eq!(again["sent"], 0);

    // A function is made from it, by its digest; the second time there is nothing to do.
    let deploy = |more: &[&str]| {
        let mut command = account.r_layer(function.project.folder.path());
        command
            .env("HTTPS_PROXY", &proxy)
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("SSL_CERT_FILE", &certificate)
            .env("AWS_REGION", REGION)
            .args(["deploy", "from-image", "--create-role", "--json", "--image"])
            .args(more);
        command
    };
    let deployed: Value = serde_json::from_slice(&succeed(&mut deploy(&[&name])).stdout).unwrap();
    let image = deployed["image"].as_str().unwrap();
    assert!(
        image.starts_with(&format!("{host}/r/function@sha256:")),
        "{image}"
    );
    let made = account.function(REGION, "from-image").unwrap();
    assert_eq!(made["Configuration"]["PackageType"], "Image");
    assert_eq!(made["Code"]["ImageUri"], image);
    account.proxy.forget();
    succeed(&mut deploy(&[&name]));
    let changes = account.proxy.changes();
    // Who we are to ECR is asked by POST.
    let changes: Vec<&String> = changes
        .iter()
        .filter(|it| *it != "GetAuthorizationToken")
        .collect();
    assert!(changes.is_empty(), "{changes:?}");
    let elsewhere = name.replace(REGION, "eu-west-1");
    let error = fail(&mut deploy(&[&elsewhere]), 1);
    assert!(
        error.contains("in ECR of eu-west-1") && error.contains("the function is in eu-central-1"),
        "{error}"
    );
    let error = fail(&mut deploy(&["docker.io/library/debian:1"]), 1);
    assert!(
        error.contains("from ECR of the function's region only"),
        "{error}"
    );

    // What `docker login` left is gone after twelve hours; AWS's credentials do without it, and no account that was
    // expected is forgotten over it.
    let stale = format!(r#"{{"auths": {{"{host}": {{"username": "AWS", "password": "old"}}}}}}"#);
    std::fs::write(folder.path().join("config.json"), stale).unwrap();
    succeed(push(&[]).env("DOCKER_CONFIG", folder.path()));
    for logged_in in [false, true] {
        let mut other = push(&["--expect-account", "210987654321"]);
        if logged_in {
            other.env("DOCKER_CONFIG", folder.path());
        }
        let error = fail(&mut other, 1);
        assert!(error.contains("and 210987654321 is expected"), "{error}");
    }
    let mut by_docker = push(&[]);
    by_docker
        .env("DOCKER_CONFIG", folder.path())
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY");
    let error = fail(&mut by_docker, 1);
    assert!(error.contains("does not take"), "{error}");
    let mut nobody = push(&[]);
    nobody
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY");
    let error = fail(&mut nobody, 1);
    assert!(
        error.contains("wants credentials, and Docker's files have none"),
        "{error}"
    );
    let output = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.contains("auth-token"), "{output}");
}
