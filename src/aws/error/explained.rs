//! A refusal in words: what is wrong, where, and what to type.

use std::time::SystemTime;

use super::Refusal;
use crate::aws::Call;

/// What is wrong, where, and what to type.
pub(super) fn explained(call: &Call, refusal: Refusal, detail: &str) -> String {
    let Call { action, region, .. } = call;
    match refusal {
        Refusal::NoCredentials => format!(
            "AWS does not know who asks: there are no credentials ({detail}). Type `aws login` or `aws sso login`, set \
             AWS_PROFILE or --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ),
        Refusal::Expired => format!(
            "the credentials have expired ({detail}); type `aws login`, or `aws sso login` with the profile, and then the \
             same again"
        ),
        Refusal::NotEnabled => format!(
            "region {region} is not enabled for this account, or the credentials are not valid there ({detail}); the \
             account's page in AWS's console enables it, or leave it out"
        ),
        Refusal::Denied => format!(
            "{action} is denied in {region} ({detail}). This statement in a policy of yours allows it: {}",
            call.statement()
        ),
        Refusal::Throttled if !action.starts_with("lambda:") => {
            format!("{region} takes no more requests for now ({action}: {detail}); try again later")
        }
        Refusal::Throttled => format!(
            "{region} takes no more requests for now ({detail}): other programs of the account use up its 15 a second; \
             try again later"
        ),
        Refusal::Clock => format!(
            "this machine's clock is off (it says {}; {detail}); set it, and type the same again",
            httpdate(SystemTime::now())
        ),
        Refusal::StorageFull => format!(
            "the account's room for code and layers in {region} is full ({detail}); `r-layer prune --keep 2` removes old \
             versions, and AWS raises the quota (Lambda: function and layer storage) on request"
        ),
        Refusal::NoSuchHost => match region.nearest_other() {
            Some(near) => format!("{region} cannot be reached ({detail}); did you mean {near}?"),
            None => format!("{region} cannot be reached: {detail}"),
        },
        Refusal::NoBucket => {
            let bucket = bucket_of(call);
            format!(
                "there is no bucket {bucket} ({detail}); type `aws s3 mb s3://{bucket} --region {region}`, or name another \
                 one with --s3-bucket"
            )
        }
        Refusal::BucketElsewhere => format!(
            "the bucket {} is not in {region} ({detail}), and Lambda takes zips from buckets of its own region alone; make \
             one in each region, and name them with --s3-bucket 'NAME-{{region}}'",
            bucket_of(call)
        ),
        Refusal::NoAnswer | Refusal::NotReached | Refusal::Fault => {
            let near = region.nearest_other();
            let near = near.map(|near| format!("; did you mean {near}?"));
            format!(
                "{action} in {region} was not answered well: {detail}{}",
                near.unwrap_or_default()
            )
        }
        _ => format!("{action} in {region}: {detail}"),
    }
}

/// The bucket's name in `arn:aws:s3:::name/key`.
fn bucket_of(call: &Call) -> &str {
    let name = call.resource.rsplit(':').next().unwrap_or_default();
    name.split('/').next().unwrap_or_default()
}

/// The time as HTTP has it, to compare with a server's.
fn httpdate(time: SystemTime) -> String {
    aws_smithy_types::DateTime::from(time)
        .fmt(aws_smithy_types::date_time::Format::HttpDate)
        .unwrap_or_default()
}
