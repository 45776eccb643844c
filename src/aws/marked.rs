//! Marks the SDK's requests with what the connection wants to know of them: whose turn it is, how long an answer may take.

use std::fmt::Debug;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Puts a mark on requests before they are signed.
#[derive(Clone, Debug)]
pub(super) struct Marked<T>(pub T);

impl<T: Clone + Debug + Send + Sync + 'static> Intercept for Marked<T> {
    fn name(&self) -> &'static str {
        "Marked"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.request_mut().add_extension(self.0.clone());
        Ok(())
    }
}
