//! A promise settled by a thread of its own, so that work that waits long takes none of libuv's few.

use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, Result};

/// Starts the work. The promise rejects where it fails, or where no thread can be had.
pub fn in_background<T, Work>(env: &Env, work: Work) -> Result<Object<'_>>
where
    T: ToNapiValue + Send + 'static,
    Work: FnOnce() -> Result<T> + Send + 'static,
{
    let (deferred, promise) = env.create_deferred()?;
    std::thread::Builder::new()
        .name("cloche-wait".to_owned())
        .spawn(move || {
            let result = work();
            deferred.resolve(move |_| result);
        })
        .map_err(|error| napi::Error::from_reason(format!("no thread: {error}")))?;
    Ok(promise)
}
