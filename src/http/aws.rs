//! The clients that requests to AWS go through: proxies and certificates as everywhere, but no credentials of ours (AWS's
//! are in the signature), no retries (the SDK has its own) and no time-out (an upload takes as long as it takes).

use reqwest::Client;

use super::certificates::{BUNDLE, certificates};
use super::{HttpError, Patience, USER_AGENT, unusable_setup};

/// A client for AWS's servers, and one for those of the machine itself.
#[derive(Clone, Debug)]
pub struct AwsClients {
    client: Client,
    link_local: Client,
}

impl AwsClients {
    /// With the environment's proxies and certificates.
    pub fn from_environment() -> Result<AwsClients, HttpError> {
        let build = |direct: bool| {
            let mut builder = Client::builder()
                .user_agent(USER_AGENT)
                .connect_timeout(Patience::default().connect_timeout())
                .redirect(reqwest::redirect::Policy::none());
            for certificate in certificates(BUNDLE)? {
                builder = builder.add_root_certificate(certificate);
            }
            if direct {
                builder = builder.no_proxy();
            }
            builder.build().map_err(unusable_setup)
        };
        Ok(AwsClients {
            client: build(false)?,
            link_local: build(true)?,
        })
    }

    /// Is it a server that gives credentials to this machine (an instance's metadata, a container's)? No proxy reaches it.
    pub fn is_link_local(host: &str) -> bool {
        host.starts_with("169.254.") || host == "[fd00:ec2::254]" || host == "[fd00:ec2::23]"
    }

    /// The client for a host.
    pub fn for_host(&self, host: &str) -> &Client {
        match AwsClients::is_link_local(host) {
            true => &self.link_local,
            false => &self.client,
        }
    }
}
