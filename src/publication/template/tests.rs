use super::Placeholder::RMinor;
use super::kinds::{OfBucket, OfLayer, OfParameter};
use super::*;
use crate::target::Architecture;

fn filled<K: TemplateKind>(template: &str) -> Result<String, String> {
    let region = "eu-central-1".parse().unwrap();
    let account = "123456789012".parse().unwrap();
    let values = TemplateValues {
        logical_name: "r-runtime",
        r_version: &"4.5.0".parse().unwrap(),
        architecture: Architecture::X86_64,
        target: "provided.al2023",
        region: Some(&region),
        account: Some(&account),
    };
    let template: Template<K> = template.parse().map_err(|e: TemplateError| e.to_string())?;
    template.fill(&values).map_err(|error| error.to_string())
}

#[test]
fn names_of_layers_have_no_dots() {
    let default = LayerNameTemplate::default();
    assert_eq!(default.to_string().parse(), Ok(default.clone()));
    assert_eq!(
        default.parts,
        default.text.parse::<LayerNameTemplate>().unwrap().parts
    );
    for (template, name) in [
        ("{name}-{r_minor}-{arch}", "r-runtime-4_5-x86_64"),
        ("acme_{name}.{r_version}", "acme_r-runtime_4_5_0"),
        ("{arch}{target}", "x86_64provided_al2023"),
        ("fixed", "fixed"),
    ] {
        assert_eq!(filled::<OfLayer>(template).unwrap(), name);
    }
}

#[test]
fn a_template_that_cannot_be_is_told_with_what_can() {
    for (template, words) in [
        (
            "{nmae}",
            "no {nmae} in a layer's name; there are: {name}, {r_minor}",
        ),
        (
            "{region}",
            "there are: {name}, {r_minor}, {r_version}, {arch}, {target}",
        ),
        ("{name", "come in pairs"),
        ("name}", "come in pairs"),
        ("{name} x", "which is no layer's name"),
        ("", "which is no layer's name"),
    ] {
        let error = filled::<OfLayer>(template).unwrap_err();
        assert!(error.contains(words), "{words}: {error}");
    }
    let long = "x".repeat(139) + "{name}";
    let error = filled::<OfLayer>(&long).unwrap_err();
    assert!(error.contains("at most 140"), "{error}");
}

#[test]
fn buckets_and_parameters_have_rules_of_their_own() {
    let bucket = filled::<OfBucket>("layers-{account}-{region}");
    assert_eq!(bucket.unwrap(), "layers-123456789012-eu-central-1");
    for bucket in ["Layers", "a", "a..b", "-ab", "s3://bucket", "bucket/folder"] {
        let error = filled::<OfBucket>(bucket).unwrap_err();
        assert!(error.contains("S3 takes"), "{error}");
    }
    let error = filled::<OfBucket>("{name}").unwrap_err();
    assert!(error.contains("there are: {region}, {account}"), "{error}");
    let parameter = filled::<OfParameter>("/r/{name}/{r_minor}/{arch}");
    assert_eq!(parameter.unwrap(), "/r/r-runtime/4.5/x86_64");
    for parameter in ["/r//x", "r/x", "/r/", "/aws/x", "a b", &"/x".repeat(16)] {
        assert!(filled::<OfParameter>(parameter).is_err(), "{parameter}");
    }
}

#[test]
fn what_is_not_known_is_a_star_in_a_pattern() {
    let template = LayerNameTemplate::default();
    let minor = |placeholder| (placeholder == RMinor).then(|| "4.5".to_owned());
    assert_eq!(template.pattern(minor), "*-4_5-*");
}
