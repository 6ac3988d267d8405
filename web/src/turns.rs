//! Work that holds a thread while it waits or computes: so much of a kind at once. The threads are there for everybody,
//! and whoever asks for much at once would otherwise take all of them, and the memory that goes with each.

use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};

/// How much of a kind of work is done at once.
///
/// ```
/// use seatline_web::turns::Turns;
///
/// static PACKING: Turns = Turns::new(2);
///
/// # tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
/// assert_eq!(PACKING.run(|| 6 * 7).await.expect("done"), 42);
/// # });
/// ```
#[derive(Debug)]
pub struct Turns(Semaphore);

impl Turns {
    /// So much at once.
    pub const fn new(at_once: usize) -> Self {
        Self(Semaphore::const_new(at_once))
    }

    /// Does `work` in a thread where it may block, when it is its turn. The turn lasts as long as the work, also where
    /// whoever asked is gone.
    ///
    /// # Errors
    /// Where the work panics, or the program ends.
    pub async fn run<T: Send + 'static>(
        &'static self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        // Nobody closes it.
        let turn = self.0.acquire().await;
        spawn_blocking(move || {
            let _turn = turn;
            work()
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_its_work_also_where_whoever_asked_is_gone() {
        static ONE: Turns = Turns::new(1);
        let (end, ended) = mpsc::channel::<()>();
        let (begin, begun) = tokio::sync::oneshot::channel();
        let first = tokio::spawn(ONE.run(move || {
            begin.send(()).expect("somebody waits");
            ended.recv().expect_err("nothing comes");
        }));
        begun.await.expect("it begins");
        first.abort();
        assert!(first.await.expect_err("whoever asked is gone").is_cancelled());
        let next = timeout(Duration::from_millis(50), ONE.run(|| ())).await;
        assert!(next.is_err(), "it is not the next one's turn yet");
        drop(end);
        ONE.run(|| ()).await.expect("now it is");
    }
}
