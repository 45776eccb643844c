use super::*;
use crate::publication::record::tests::publication;

fn listing(publications: &[Publication], filter: &ListingFilter) -> Listing {
    let mut record = PublicationRecord::default();
    for publication in publications {
        record.record(publication.clone());
    }
    Listing::of(&record, filter)
}

fn written(publications: &[Publication], format: ListingFormat) -> String {
    let listing = listing(publications, &ListingFilter::default());
    listing.written(format).unwrap()
}

fn labels(listing: &Listing) -> Vec<&str> {
    let layers = listing.layers.iter();
    layers.map(|layer| layer.label.as_str()).collect()
}

fn of_account(publication: &Publication, account: &str) -> Publication {
    let mut of_account = publication.clone();
    of_account.account = account.parse().unwrap();
    of_account.arn.layer.account = of_account.account.clone();
    of_account
}

#[test]
fn layers_are_asked_for_by_any_of_their_names() {
    let all = [
        publication("runtime", "eu-central-1", 7),
        publication("runtime", "us-east-1", 7),
        publication("models", "eu-central-1", 2),
    ];
    for name in ["models", "r-models", "r-models-4_5-x86_64"] {
        let filter = ListingFilter {
            layers: vec![name.to_owned()],
            ..ListingFilter::default()
        };
        assert_eq!(labels(&listing(&all, &filter)), ["r-models-4_5-x86_64"]);
    }
    let filter = ListingFilter {
        regions: vec!["us-east-1".parse().unwrap()],
        ..ListingFilter::default()
    };
    assert_eq!(labels(&listing(&all, &filter)), ["r-runtime-4_5-x86_64"]);
    let filter = ListingFilter {
        architectures: vec![Architecture::Arm64],
        ..ListingFilter::default()
    };
    assert!(listing(&all, &filter).is_empty());
}

#[test]
fn layers_of_one_name_are_told_apart_by_account_and_processor() {
    let one = publication("runtime", "eu-central-1", 7);
    let other = of_account(&one, "210987654321");
    let mut arm = other.clone();
    arm.architecture = Architecture::Arm64;
    let all = listing(&[one, other, arm], &ListingFilter::default());
    assert_eq!(
        labels(&all),
        [
            "r-runtime-4_5-x86_64-123456789012-x86_64",
            "r-runtime-4_5-x86_64-210987654321-x86_64",
            "r-runtime-4_5-x86_64-210987654321-arm64",
        ]
    );
    let names = ["a", "a", "a-2", "a"].map(str::to_owned);
    assert_eq!(told_apart(names.into_iter()), ["a", "a-2", "a-2-2", "a-3"]);
}

#[test]
fn people_read_name_r_day_and_arn() {
    let table = written(
        &[publication("runtime", "eu-central-1", 7)],
        ListingFormat::Table,
    );
    assert_eq!(
        table,
        "r-runtime-4_5-x86_64: R 4.5.0, x86_64, for public\n  eu-central-1  2025-04-01  \
         arn:aws:lambda:eu-central-1:123456789012:layer:r-runtime-4_5-x86_64:7\n"
    );
    let mut foreign = publication("runtime", "eu-central-1", 7);
    foreign.r_version = "4|`5".to_owned();
    let markdown = written(&[foreign], ListingFormat::Markdown);
    assert!(
        markdown.contains("| eu-central-1 | 45 | `arn:aws:lambda:"),
        "{markdown}"
    );
}

#[test]
fn a_layer_that_is_not_everywhere_has_an_output_where_it_is() {
    let all = [
        publication("runtime", "eu-central-1", 7),
        publication("runtime", "us-east-1", 7),
        publication("models", "us-east-1", 2),
    ];
    let template = written(&all, ListingFormat::CloudFormation);
    for line in [
        "      RModels45X8664: \"none\"",
        "  HasRModels45X8664: !Not [!Equals [!FindInMap [RLayers, !Ref AWS::Region, RModels45X8664], none]]",
        "    Condition: HasRModels45X8664",
        "    Value: !FindInMap [RLayers, !Ref AWS::Region, RRuntime45X8664]",
    ] {
        assert!(
            template.lines().any(|other| other == line),
            "{line}\n{template}"
        );
    }
    assert!(!template.contains("HasRRuntime45X8664"), "{template}");
    let runtime =
        template.find("#       - !FindInMap [RLayers, !Ref AWS::Region, RRuntime45X8664]");
    let models = template.find("#       - !FindInMap [RLayers, !Ref AWS::Region, RModels45X8664]");
    assert!(runtime < models && runtime.is_some(), "{template}");
    // What is one key is told apart.
    let mut other = all[0].clone();
    other.layer = "r-runtime_45-x86_64".parse().unwrap();
    let template = written(&[all[0].clone(), other], ListingFormat::CloudFormation);
    assert!(template.contains("RRuntime45X8664N2: "), "{template}");
}

#[test]
fn a_terraform_file_is_laid_out_as_terraform_does() {
    let all = [
        publication("runtime", "eu-central-1", 7),
        publication("runtime", "us-east-1", 7),
    ];
    let module = written(&all, ListingFormat::Terraform);
    assert!(
        module.contains("      \"us-east-1\"    = \"arn:aws:lambda:us-east-1:"),
        "{module}"
    );
}
