//! `r-layer policy`: what a command will need, from its flags and the manifest.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use crate::cli::{
    AttachPolicyArgs, DeployPolicyArgs, FunctionPolicyArgs, IamPolicyCommand, InvokePolicyArgs,
    PublishPolicyArgs, ScopeArgs,
};
use crate::iam::{
    AttachPermissions, DeployPermissions, IamPolicy, InvokePermissions, PublishPermissions, Scope,
    UsedLayers,
};
use crate::manifest::{FunctionSection, Manifest, PublishSection, PublishTarget, RegionChoice};
use crate::progress::Reporter;
use crate::publication::{
    AccountId, BucketTemplate, LayerNameTemplate, LayerVersionArn, Placeholder, Publication,
    PublicationRecord, PublishedName,
};

/// What every layer's logical name begins with.
const OURS: &str = "r-";

/// The policy for a command.
pub fn run(command: IamPolicyCommand, reporter: &dyn Reporter) -> Result<IamPolicy> {
    let manifest = Manifest::read(Path::new("."))?;
    let settings = Settings {
        publish: manifest.publish,
        functions: manifest.functions,
        reporter,
    };
    match command {
        IamPolicyCommand::Publish(args) => settings.for_publish(args),
        IamPolicyCommand::Attach(args) => settings.for_attach(args),
        IamPolicyCommand::Deploy(args) => settings.for_deploy(args),
        IamPolicyCommand::Invoke(args) => settings.for_invoke(args),
    }
}

/// What flags leave out.
struct Settings<'a> {
    publish: PublishSection,
    functions: BTreeMap<String, FunctionSection>,
    reporter: &'a dyn Reporter,
}

impl Settings<'_> {
    fn for_publish(&self, args: PublishPolicyArgs) -> Result<IamPolicy> {
        let target = self.publish.chosen_target(args.scope.to.as_deref())?;
        let (scope, account) = self.scope(&args.scope)?;
        let layers: Vec<String> = match args.layers.is_empty() {
            true => vec![format!("{OURS}*")],
            false => args
                .layers
                .iter()
                .map(|layer| logical(layer))
                .collect::<Result<_>>()?,
        };
        let asks = args.public || args.organization.is_some() || !args.accounts.is_empty();
        let set = target.and_then(PublishTarget::grants);
        let set = set.unwrap_or_else(|| self.publish.grants());
        let parameter = args.ssm_parameter.as_ref();
        let parameter = parameter.or(self.publish.ssm_parameter.as_ref());
        let permissions = PublishPermissions {
            layers: layers
                .iter()
                .map(|layer| self.pattern(&args.scope, layer))
                .collect(),
            grants: asks || !set.is_empty(),
            exact: args.exact,
            prune: args.prune,
            bucket: self.bucket(args.s3_bucket.as_ref(), target, account.as_ref()),
            parameter: parameter.map(|template| template.pattern(|_| None)),
        };
        Ok(permissions.policy(&scope))
    }

    fn for_attach(&self, args: AttachPolicyArgs) -> Result<IamPolicy> {
        let (scope, account) = self.scope(&args.of.scope)?;
        let permissions = AttachPermissions {
            layers: self.used_layers(&args.of, account.as_ref())?,
            functions: args.of.functions,
            publish_version: args.publish_version,
            alias: args.alias,
        };
        Ok(permissions.policy(&scope))
    }

    fn for_deploy(&self, args: DeployPolicyArgs) -> Result<IamPolicy> {
        let target = self.publish.chosen_target(args.of.scope.to.as_deref())?;
        let (scope, account) = self.scope(&args.of.scope)?;
        // What flags leave out comes from the function's section, as in `deploy`.
        let section = match &args.of.functions[..] {
            [one] => self.functions.get(one.as_str()),
            _ => None,
        };
        let section = section.cloned().unwrap_or_default();
        if args.role.is_none()
            && !args.create_role
            && section.role.is_none()
            && !section.create_role
        {
            self.reporter.note(
                "no role is named, as for functions that are there already; a new one needs --role or --create-role here",
            );
        }
        let typed_url = args.function_url.then(|| args.function_url_auth.into());
        let permissions = DeployPermissions {
            layers: self.used_layers(&args.of, account.as_ref())?,
            functions: args.of.functions,
            create_role: args.create_role || args.role.is_none() && section.create_role,
            role: args.role.or(section.role),
            policy_arns: match args.policy_arns.is_empty() {
                true => section.policy_arns,
                false => args.policy_arns,
            },
            alias: args.alias.or(section.alias),
            function_url: typed_url.or(section.function_url),
            schedule: args.schedule || section.schedule.is_some(),
            publish_version: args.publish_version,
            destroy: args.destroy,
            bucket: self.bucket(args.s3_bucket.as_ref(), target, account.as_ref()),
        };
        Ok(permissions.policy(&scope))
    }

    fn for_invoke(&self, args: InvokePolicyArgs) -> Result<IamPolicy> {
        let (scope, _) = self.scope(&args.scope)?;
        let functions = args.functions;
        Ok(InvokePermissions { functions }.policy(&scope))
    }

    /// Where the policy holds, and the account if it is known.
    fn scope(&self, args: &ScopeArgs) -> Result<(Scope, Option<AccountId>)> {
        let target = self.publish.chosen_target(args.to.as_deref())?;
        let regions = match self.publish.regions_for(target) {
            _ if args.all_regions => Vec::new(),
            _ if !args.regions.is_empty() => args.regions.clone(),
            Some(RegionChoice::Named(regions)) => regions.clone(),
            Some(RegionChoice::All) | None => Vec::new(),
        };
        let of_target = target.and_then(|target| {
            let of_role = || target.role.as_ref()?.account().parse().ok();
            target.account.clone().or_else(of_role)
        });
        let account = args.expect_account.clone().or(of_target);
        if account.is_none() {
            self.reporter.note(
                "no account is named, so that the policy says `*`; --expect-account ID narrows it",
            );
        }
        Ok((Scope::new(account.clone(), regions)?, account))
    }

    /// The pattern of the bucket that is named.
    fn bucket(
        &self,
        typed: Option<&BucketTemplate>,
        target: Option<&PublishTarget>,
        account: Option<&AccountId>,
    ) -> Option<String> {
        let of_target = target.and_then(|target| target.s3_bucket.as_ref());
        let template = typed.or(of_target).or(self.publish.s3_bucket.as_ref())?;
        let value = |placeholder| {
            let account = account.filter(|_| placeholder == Placeholder::Account);
            account.map(ToString::to_string)
        };
        Some(template.pattern(value))
    }

    /// The pattern of the names of layers with that logical name.
    fn pattern(&self, args: &ScopeArgs, logical_name: &str) -> String {
        let default = LayerNameTemplate::default();
        let template = args.name.as_ref().or(self.publish.name.as_ref());
        let value =
            |placeholder| (placeholder == Placeholder::Name).then(|| logical_name.to_owned());
        template.unwrap_or(&default).pattern(value)
    }

    /// The layers that are typed, of the account by name, others by ARN; else all of the account, and those of other
    /// accounts that the record knows.
    fn used_layers(
        &self,
        args: &FunctionPolicyArgs,
        account: Option<&AccountId>,
    ) -> Result<UsedLayers> {
        let (scope, layers) = (&args.scope, &args.layers);
        let mut used = UsedLayers::default();
        for layer in layers {
            match layer.starts_with("arn:") {
                true => {
                    let arn: LayerVersionArn = layer.parse()?;
                    used.others.insert(format!("{}:*", arn.layer));
                }
                false => used.own.push(self.pattern(scope, &logical(layer)?)),
            }
        }
        if layers.is_empty() {
            used.own.push(self.pattern(scope, &format!("{OURS}*")));
            let record = PublicationRecord::read(Path::new("."))?;
            let foreign = record
                .publications()
                .filter(|one| Some(&one.account) != account);
            used.others.extend(foreign.map(in_every_region));
        }
        Ok(used)
    }
}

/// The versions of a layer in whatever region: an ARN for each would be too long for a policy.
fn in_every_region(publication: &Publication) -> String {
    let Publication {
        partition,
        account,
        layer,
        ..
    } = publication;
    format!("arn:{partition}:lambda:*:{account}:layer:{layer}:*")
}

/// `r-models` of `models` and of `r-models`.
fn logical(layer: &str) -> Result<String> {
    let name: PublishedName = layer.parse()?;
    Ok(match name.as_str().starts_with(OURS) {
        true => name.to_string(),
        false => format!("{OURS}{name}"),
    })
}
