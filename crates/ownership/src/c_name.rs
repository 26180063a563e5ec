//! The public names of the functions of C libraries.

/// Parts of a name that stand for the processor one variant of a C function is made for
/// (the `multiarch` directories of glibc).
const PROCESSORS: &[&str] = &[
    "avx",
    "avx2",
    "avx512",
    "evex",
    "evex512",
    "sse2",
    "sse3",
    "ssse3",
    "sse4",
    "sse42",
    "sse4_1",
    "sse4_2",
    "erms",
    "unaligned",
    "aligned",
    "generic",
    "rtm",
    "movbe",
    "no_vzeroupper",
    "back",
    "vzeroupper",
    "ia32",
    "i586",
    "i686",
    "bsf",
    "slow",
    "fma",
    "fma4",
    "avx2_movbe",
    "avx_fma4",
    "thunderx",
    "thunderx2",
    "falkor",
    "simd",
    "nosimd",
    "mops",
    "sve",
    "mte",
    "kunpeng",
    "neon",
    "a64fx",
    "oryon1",
    "emag",
    "zva64",
    "noalignment",
    "power7",
    "power8",
    "power9",
    "power10",
];

/// The public name of a function of the C library, whichever of its variants, aliases and
/// internal forms ran: `__memmove_avx_unaligned_erms` is `memmove`, `__GI___libc_free`
/// `free`, `__memcpy_chk` `memmove`, which does the work of both.
pub fn library_name(name: &str) -> &str {
    let mut bare = match name {
        "std::__terminate" | "__cxxabiv1::__terminate" => return "std::terminate",
        name => name.strip_prefix("__cxxabiv1::").unwrap_or(name),
    };
    if bare.contains("::") {
        return name;
    }
    for prefix in ["___interceptor_", "__interceptor_", "__asan_", "__hwasan_", "__GI_", "__libc_"]
    {
        bare = bare.strip_prefix(prefix).filter(|rest| !rest.is_empty()).unwrap_or(bare);
    }
    bare = bare.strip_prefix("__libc_").unwrap_or(bare);
    let trimmed = bare.trim_start_matches('_');
    bare = if trimmed.is_empty() { bare } else { trimmed };
    bare = bare.strip_prefix("IO_").unwrap_or(bare);
    let variant_of = |name: &str| {
        let before = |part: &&str| name.strip_suffix(*part)?.strip_suffix('_').map(str::len);
        PROCESSORS.iter().find_map(before).filter(|length| *length > 0)
    };
    // All variants are internal, and named so.
    while let Some(length) = variant_of(bare).filter(|_| name.starts_with("__")) {
        bare = &bare[..length];
    }
    bare = bare.strip_suffix("_chk").filter(|rest| *rest != "stack").unwrap_or(bare);
    match bare {
        "memcpy" => "memmove",
        "strcasecmp_l" => "strcasecmp",
        "strncasecmp_l" => "strncasecmp",
        "gsignal"
        | "pthread_kill"
        | "thread_kill_implementation"
        | "pthread_kill_implementation"
        | "pthread_kill_internal"
        | "tgkill"
        | "tkill" => "raise",
        "assert_fail_base" => "assert_fail",
        "stack_chk_fail_local" => "stack_chk_fail",
        "fortify_fail" | "fortify_fail_abort" => "chk_fail",
        "cfree" | "free_default" | "je_free" | "mi_free" | "tc_free" => "free",
        "je_malloc" | "mi_malloc" | "tc_malloc" => "malloc",
        bare => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::library_name;

    #[test]
    fn variants_of_a_library_function_are_that_function() {
        for (raw, bare) in [
            ("__memmove_avx_unaligned_erms", "memmove"),
            ("__memcpy_avx512_unaligned_erms", "memmove"),
            ("__memcpy_chk", "memmove"),
            ("__strlen_evex", "strlen"),
            ("__strncasecmp_l_evex", "strncasecmp"),
            ("__strcmp_sse2_unaligned", "strcmp"),
            ("__GI___libc_free", "free"),
            ("__libc_calloc", "calloc"),
            ("__pthread_kill_implementation", "raise"),
            ("_IO_vfprintf", "vfprintf"),
            ("__stack_chk_fail", "stack_chk_fail"),
            ("__stack_chk_fail_local", "stack_chk_fail"),
            ("__cxxabiv1::__cxa_throw", "cxa_throw"),
            ("__cxxabiv1::__terminate", "std::terminate"),
            ("std::__throw_bad_cast", "std::__throw_bad_cast"),
            ("__interceptor_memcpy", "memmove"),
            ("abort", "abort"),
            ("list_back", "list_back"),
            ("_", "_"),
        ] {
            assert_eq!(library_name(raw), bare, "{raw}");
        }
    }
}
