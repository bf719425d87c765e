//! Bodies that pass through, piece by piece, within bounds.

use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// The next piece of a body has so long to come.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// A whole body has so long: nothing that is asked of a control plane takes longer.
const LIFE: Duration = Duration::from_secs(300);

/// A body of at most so many bytes, of which nobody waits long for the next.
pub struct Bounded {
    /// Never locked: it makes of what may be sent to another thread what may be shared, too.
    body: Mutex<Body>,
    size: SizeHint,
    left: u64,
    end: Instant,
    patience: Pin<Box<Sleep>>,
    /// Whether it is waited for; not while whoever takes it is the slow one.
    is_awaited: bool,
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is longer than it may be.
    #[error("the body is too long")]
    TooLong,
    /// It did not come in time.
    #[error("the body did not come in time")]
    TooSlow,
    /// It broke off.
    #[error("the body broke off")]
    Torn(#[source] axum::Error),
}

impl Bounded {
    /// `body`, of at most `most` bytes. `None`: it says of itself that it is longer.
    pub fn new(body: Body, most: u64) -> Option<Self> {
        let size = body.size_hint();
        (size.lower() <= most).then(|| Self {
            body: Mutex::new(body),
            size,
            left: most,
            end: Instant::now() + LIFE,
            patience: Box::pin(tokio::time::sleep(PATIENCE)),
            is_awaited: false,
        })
    }
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        loop {
            let body = this.body.get_mut().expect("INVARIANT: it is never locked");
            let Poll::Ready(frame) = Pin::new(body).poll_frame(context) else {
                if !this.is_awaited {
                    this.is_awaited = true;
                    let until = (Instant::now() + PATIENCE).min(this.end);
                    this.patience.as_mut().reset(until);
                }
                ready!(this.patience.as_mut().poll(context));
                return Poll::Ready(Some(Err(BodyError::TooSlow)));
            };
            this.is_awaited = false;
            let frame = match frame {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(BodyError::Torn(error)))),
                Some(Ok(frame)) => frame,
            };
            // Trailers are headers, and stay.
            let Ok(bytes) = frame.into_data() else {
                continue;
            };
            let length = bytes.len() as u64;
            if length > this.left {
                return Poll::Ready(Some(Err(BodyError::TooLong)));
            }
            this.left -= length;
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    /// So many pieces of two bytes, whose number is not said; or none, ever.
    enum Pieces {
        Left(u32),
        Never,
    }

    impl HttpBody for Pieces {
        type Data = Bytes;
        type Error = axum::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
            match &mut *self {
                Self::Never => Poll::Pending,
                Self::Left(0) => Poll::Ready(None),
                Self::Left(left) => {
                    *left -= 1;
                    Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"ab")))))
                }
            }
        }
    }

    fn bounded(body: Pieces) -> Bounded {
        Bounded::new(Body::new(body), 5).expect("it does not say how long it is")
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_says_so_before_or_on_the_way() {
        let known = |most| Bounded::new(Body::from("12345"), most);
        assert!(known(4).is_none());
        let whole = known(5).expect("it fits").collect().await.expect("whole");
        assert_eq!(whole.to_bytes(), "12345");
        let whole = bounded(Pieces::Left(2)).collect().await.expect("whole");
        assert_eq!(whole.to_bytes(), "abab");
        let error = bounded(Pieces::Left(3)).collect().await;
        assert!(matches!(error, Err(BodyError::TooLong)));
    }

    #[tokio::test]
    async fn nobody_waits_long_for_the_next_piece() {
        let mut body = bounded(Pieces::Never);
        body.end = Instant::now();
        let error = body.collect().await;
        assert!(matches!(error, Err(BodyError::TooSlow)));
    }
}
