//! The C calls that no crate wraps. The only module of this crate with `unsafe`.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::path::Path;

/// Gives memory that dropped sessions have left behind back to the system.
///
/// The C allocator keeps freed memory for itself, which after a swap is the size of a whole model.
pub(crate) fn return_free_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` takes no pointer, is thread-safe, and touches free memory only.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Returns the version that an ONNX Runtime library states, such as `1.28.0`. `None` unless the library is loaded.
pub(crate) fn runtime_version(library: &Path) -> Option<String> {
    let path = CString::new(library.as_os_str().as_encoded_bytes()).ok()?;
    // SAFETY: the path is a C string that outlives the call; RTLD_NOLOAD makes it a look-up that runs no code.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD) };
    if handle.is_null() {
        return None;
    }
    // SAFETY: the handle is valid and the name is a C string. The handle is kept open on purpose: the library stays
    // loaded for the life of the process.
    let symbol = unsafe { libc::dlsym(handle, c"OrtGetApiBase".as_ptr()) };
    if symbol.is_null() {
        return None;
    }
    type GetApiBase = unsafe extern "C" fn() -> *const ort::sys::OrtApiBase;
    // SAFETY: ONNX Runtime's C API declares the symbol with this signature, and its result, if any, is a static table.
    let base = unsafe { std::mem::transmute::<*mut libc::c_void, GetApiBase>(symbol)().as_ref()? };
    // SAFETY: the table's function takes nothing and returns a static C string.
    let version = unsafe { CStr::from_ptr((base.GetVersionString)()) };
    version.to_str().ok().map(str::to_owned)
}
