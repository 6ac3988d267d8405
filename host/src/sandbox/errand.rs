//! Errands to the product: calls of its ports, each on a thread of its own.
//!
//! A port may be slow, hang or panic. The run waits only as long as its patience lasts, then leaves the thread where it
//! is: Rust cannot end a thread from outside, and a query that hangs may hold a lock that the product needs. A thread
//! that was left ends by itself as soon as the port returns or pushes the next account. Those that have not are
//! counted, and while there are too many, no further errand is begun.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::ports::PortError;

/// Begins errands, and counts those that have not ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Errands {
    under_way: Arc<AtomicUsize>,
}

/// Counts an errand for as long as its thread lives.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Errands {
    /// Runs `errand` on a thread of its own, and gives what it comes to to `tell` on that thread. It is counted until
    /// it has an answer.
    ///
    /// # Errors
    /// When `most` errands are still under way, or there is no thread to be had.
    pub(crate) fn begin<R>(
        &self,
        most: usize,
        errand: impl FnOnce() -> R + Send + 'static,
        tell: impl FnOnce(R) + Send + 'static,
    ) -> Result<(), String> {
        let before = self.under_way.fetch_add(1, Ordering::AcqRel);
        let under_way = UnderWay(Arc::clone(&self.under_way)); // counts down wherever it is dropped
        if before >= most {
            return Err(format!("the product is still busy with earlier questions ({before})"));
        }
        std::thread::Builder::new()
            .name("seatline-product".to_owned())
            .spawn(move || {
                let answer = errand();
                drop(under_way);
                tell(answer);
            })
            .map(drop)
            .map_err(|error| format!("no thread to ask the product on: {error}"))
    }
}

/// Calls a port of the product. A panic in it becomes an error: it is the product's, and must not end the host.
pub(crate) fn call<R>(port: &str, call: impl FnOnce() -> Result<R, PortError>) -> Result<R, PortError> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|_| Err(PortError::new(format_args!("the product's port `{port}` panicked"))))
}
