//! The class of processor that computes the scores: between classes, the runtime picks other kernels, and sums may
//! round differently.

/// Returns the class of this machine's processor: `x86-64-v2` to `x86-64-v4`, `x86-64`, or the architecture's name.
pub fn cpu_class() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        x86_level()
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        std::env::consts::ARCH
    }
}

/// The levels of the x86-64 psABI, by the features among them that numerical kernels use.
#[cfg(target_arch = "x86_64")]
fn x86_level() -> &'static str {
    use std::is_x86_feature_detected as has;
    let v2 = has!("sse4.2") && has!("popcnt");
    let v3 = v2 && has!("avx2") && has!("bmi2") && has!("fma");
    let v4 = v3
        && has!("avx512f")
        && has!("avx512bw")
        && has!("avx512cd")
        && has!("avx512dq")
        && has!("avx512vl");
    match (v2, v3, v4) {
        (_, _, true) => "x86-64-v4",
        (_, true, _) => "x86-64-v3",
        (true, _, _) => "x86-64-v2",
        _ => "x86-64",
    }
}
