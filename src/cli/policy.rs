//! `r-layer policy`.

use clap::{Args, Subcommand, ValueEnum};

use crate::iam::{FunctionPattern, FunctionUrlAuth};
use crate::publication::{
    AccountId, BucketTemplate, LayerNameTemplate, OrganizationId, ParameterTemplate, Region,
    RoleArn,
};

/// The least IAM policy for a command, as JSON on stdout.
#[derive(Debug, Args)]
#[command(
    after_help = "Type the flags that the command itself will have; what they leave out is taken from [publish] of \
                        r-layer.toml.\n\n\
                        Examples:\n  \
                        r-layer policy publish --region eu-central-1 --expect-account 123456789012 --public\n  \
                        r-layer policy attach my-function\n  \
                        r-layer policy deploy my-function --create-role --function-url"
)]
pub struct IamPolicyArgs {
    /// Of which command.
    #[command(subcommand)]
    pub command: IamPolicyCommand,
}

/// The commands that there are policies for.
#[derive(Debug, Subcommand)]
pub enum IamPolicyCommand {
    /// What `publish`, `grant` and, with --prune, `prune` need
    Publish(PublishPolicyArgs),
    /// What `attach` and `detach` need
    Attach(AttachPolicyArgs),
    /// What `deploy` needs
    Deploy(DeployPolicyArgs),
    /// What `invoke --function` and `logs` need
    Invoke(InvokePolicyArgs),
}

/// Where a policy holds.
#[derive(Debug, Args)]
pub struct ScopeArgs {
    /// In this region; may be repeated [default: those of r-layer.toml, else all]
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<Region>,
    /// In every region
    #[arg(long, conflicts_with = "regions")]
    pub all_regions: bool,
    /// As the [[publish.to]] of that name says
    #[arg(long, value_name = "NAME")]
    pub to: Option<String>,
    /// In this account [default: that of --to or of its role, else any]
    #[arg(long, value_name = "ID")]
    pub expect_account: Option<AccountId>,
    /// The template that layers are named by [default: {name}-{r_minor}-{arch}]
    #[arg(long, value_name = "TEMPLATE")]
    pub name: Option<LayerNameTemplate>,
}

/// What publishing does.
#[derive(Debug, Args)]
pub struct PublishPolicyArgs {
    /// Where it holds.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Only this layer, as `runtime` or `models`; may be repeated [default: every layer whose name begins with r-]
    #[arg(long = "layer", value_name = "NAME")]
    pub layers: Vec<String>,
    /// Everybody may use the layers
    #[arg(long)]
    pub public: bool,
    /// The accounts of this organization may
    #[arg(long, value_name = "ID")]
    pub organization: Option<OrganizationId>,
    /// This account may; may be repeated
    #[arg(long = "account", value_name = "ID")]
    pub accounts: Vec<AccountId>,
    /// Grants that were not asked for are taken away
    #[arg(long)]
    pub exact: bool,
    /// Old versions are deleted
    #[arg(long)]
    pub prune: bool,
    /// The bucket that large zips go through
    #[arg(long, env = "R_LAYER_S3_BUCKET", value_name = "TEMPLATE")]
    pub s3_bucket: Option<BucketTemplate>,
    /// The parameter that gets the ARN
    #[arg(long, value_name = "TEMPLATE")]
    pub ssm_parameter: Option<ParameterTemplate>,
}

/// Functions, and the layers that they are given.
#[derive(Debug, Args)]
pub struct FunctionPolicyArgs {
    /// Functions; `*` stands for any characters
    #[arg(required = true, value_name = "FUNCTION")]
    pub functions: Vec<FunctionPattern>,
    /// Where it holds.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// A layer by its name or by the ARN of its version; may be repeated [default: those that begin with r-, and those of
    /// other accounts in r-layer.arns.json]
    #[arg(long = "layer", value_name = "NAME|ARN")]
    pub layers: Vec<String>,
}

/// What attaching does.
#[derive(Debug, Args)]
pub struct AttachPolicyArgs {
    /// What it is done to.
    #[command(flatten)]
    pub of: FunctionPolicyArgs,
    /// A version of the function is published
    #[arg(long)]
    pub publish_version: bool,
    /// This alias is moved to it
    #[arg(long, value_name = "NAME")]
    pub alias: Option<String>,
}

/// What invoking does.
#[derive(Debug, Args)]
pub struct InvokePolicyArgs {
    /// Functions; `*` stands for any characters
    #[arg(required = true, value_name = "FUNCTION")]
    pub functions: Vec<FunctionPattern>,
    /// Where it holds.
    #[command(flatten)]
    pub scope: ScopeArgs,
}

/// What deploying does.
#[derive(Debug, Args)]
pub struct DeployPolicyArgs {
    /// What it is done to.
    #[command(flatten)]
    pub of: FunctionPolicyArgs,
    /// The role that the function is given
    #[arg(long, value_name = "ARN")]
    pub role: Option<RoleArn>,
    /// A role is made for the function
    #[arg(long, conflicts_with = "role")]
    pub create_role: bool,
    /// A policy that the made role gets beside that of basic execution; may be repeated
    #[arg(long = "policy-arn", value_name = "ARN", requires = "create_role")]
    pub policy_arns: Vec<String>,
    /// This alias is moved to the new version
    #[arg(long, value_name = "NAME")]
    pub alias: Option<String>,
    /// The function gets a URL
    #[arg(long)]
    pub function_url: bool,
    /// Who may call the URL
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "AUTH",
        requires = "function_url"
    )]
    pub function_url_auth: FunctionUrlAuthArg,
    /// The function is invoked on a schedule
    #[arg(long)]
    pub schedule: bool,
    /// A version of the function is published
    #[arg(long)]
    pub publish_version: bool,
    /// What it makes is removed again, by `destroy`
    #[arg(long)]
    pub destroy: bool,
    /// The bucket that large code goes through
    #[arg(long, env = "R_LAYER_S3_BUCKET", value_name = "TEMPLATE")]
    pub s3_bucket: Option<BucketTemplate>,
}

/// Who may call a function's URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FunctionUrlAuthArg {
    /// Who is allowed to by IAM
    #[default]
    #[value(name = "AWS_IAM", alias = "iam")]
    Iam,
    /// Everybody
    None,
}

impl From<FunctionUrlAuthArg> for FunctionUrlAuth {
    fn from(auth: FunctionUrlAuthArg) -> FunctionUrlAuth {
        match auth {
            FunctionUrlAuthArg::Iam => FunctionUrlAuth::Iam,
            FunctionUrlAuthArg::None => FunctionUrlAuth::None,
        }
    }
}
