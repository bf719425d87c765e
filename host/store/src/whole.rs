//! Steps that must not stop half-way.

/// Takes `step` to its end in a task of its own: whoever waits for it may vanish, as a request does whose
/// client hangs up, and neither leaves the driver in the midst of something nor others without an answer.
/// What nobody waits for any more is dropped when it is there, and a transaction is undone by that.
#[expect(
    clippy::disallowed_methods,
    reason = "it is a step of a request that is tracked, and bounded by the patience of its connection"
)]
pub(crate) async fn to_its_end<T: Send + 'static>(
    step: impl Future<Output = T> + Send + 'static,
) -> Result<T, sqlx::Error> {
    tokio::spawn(step)
        .await
        .map_err(|_| sqlx::Error::WorkerCrashed)
}
