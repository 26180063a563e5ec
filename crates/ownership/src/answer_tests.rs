use super::*;

const PROGRAM: &str = "/opt/shop/bin/shop";

/// A function of the executable.
fn in_program(function: &str) -> Frame<'_> {
    Frame {
        function: Some(function),
        module: Some(PROGRAM),
        executable: Some(PROGRAM),
        ..Frame::default()
    }
}

fn in_library<'f>(function: &'f str, path: &'f str) -> Frame<'f> {
    Frame { module: Some(path), ..in_program(function) }
}

fn owner(frame: Frame<'_>) -> Owner {
    answer(&frame).owner
}

fn owner_in(language: Language, function: &str) -> Owner {
    owner(Frame { language: Some(language), ..in_program(function) })
}

#[test]
fn where_programs_and_threads_begin_is_start_up_code_wherever_it_is_linked() {
    for name in [
        "_start",
        "__libc_start_main",
        "__libc_start_main_impl",
        "__libc_start_call_main",
        "clone3",
        "__clone3",
        "start_thread",
        "__libc_csu_init",
    ] {
        assert_eq!(owner(in_program(name)), Owner::Startup, "{name}");
        assert_eq!(owner(in_library(name, "/usr/lib/libc.so.6")), Owner::Startup, "{name}");
    }
    assert_eq!(owner_in(Language::Go, "runtime.goexit"), Owner::Startup);
    let name = "std::rt::lang_start::{{closure}}";
    assert_eq!(owner_in(Language::Rust, name), Owner::Startup);
    assert_eq!(owner(in_program("main")), Owner::Application);
}

#[test]
fn a_namespace_core_or_alloc_is_rusts_only_in_a_rust_unit() {
    for name in ["core::Engine::spin", "alloc::Arena::take", "core::panicking::give_up"] {
        assert_eq!(owner_in(Language::Cpp, name), Owner::Application, "{name}");
        assert_eq!(owner_in(Language::Other, name), Owner::Application, "{name}");
    }
    assert_eq!(owner_in(Language::Rust, "core::option::Option<T>::map"), Owner::LanguageRuntime);
    assert_eq!(owner_in(Language::Rust, "core::panicking::panic_fmt"), Owner::CrashHandler);
    assert_eq!(owner_in(Language::C, "std::put"), Owner::Application);
}

#[test]
fn without_a_unit_the_mangling_gives_the_language() {
    let symbol = |function, linkage_name| {
        owner(Frame { linkage_name: Some(linkage_name), ..in_program(function) })
    };
    let cpp = symbol("core::Engine::spin()", "_ZN4core6Engine4spinEv");
    assert_eq!(cpp, Owner::Application);
    let legacy = symbol("core::ptr::read", "_ZN4core3ptr4read17h9601becf0d45c22eE");
    assert_eq!(legacy, Owner::LanguageRuntime);
    assert_eq!(symbol("core::ptr::read", "_RNvNtCs1_4core3ptr4read"), Owner::LanguageRuntime);
}

#[test]
fn instances_of_the_cpp_library_in_the_program_are_the_runtimes() {
    for name in [
        "std::vector<int, std::allocator<int> >::at",
        "void std::__fill_a1<int>(int*, int*)",
        "std::function<void (Order&)>::operator()(Order&) const",
        "__gnu_cxx::new_allocator<Order>::construct",
    ] {
        let source = Some("/usr/include/c++/12/bits/stl_vector.h");
        let frame = Frame { source, language: Some(Language::Cpp), ..in_program(name) };
        assert_eq!(owner(frame), Owner::LanguageRuntime, "{name}");
    }
    assert_eq!(owner_in(Language::Cpp, "Shop::open<std::string>"), Owner::Application);
}

#[test]
fn an_implementation_is_the_runtimes_if_both_type_and_trait_are() {
    for (name, owner) in [
        ("<alloc::vec::Vec<T> as core::fmt::Debug>::fmt", Owner::LanguageRuntime),
        ("<&T as core::fmt::Debug>::fmt", Owner::LanguageRuntime),
        ("<&app::Sum as core::fmt::Debug>::fmt", Owner::LanguageRuntime),
        ("<T as core::convert::Into<U>>::into", Owner::LanguageRuntime),
        ("<app::Sum as core::fmt::Debug>::fmt", Owner::Application),
        ("<alloc::vec::Vec<T> as app::Visit>::visit", Owner::Application),
        ("<dyn app::Visit as core::fmt::Debug>::fmt", Owner::Application),
    ] {
        assert_eq!(owner_in(Language::Rust, name), owner, "{name}");
    }
}

#[test]
fn a_library_of_the_system_is_known_by_its_name_wherever_it_lies() {
    for library in [
        "libQt5Core.so.5",
        "libQt6Gui.so.6",
        "libevent-2.1.so.7",
        "libjemalloc.so.2",
        "libboost_thread.so.1.74.0",
        "libgobject-2.0.so.0",
        "libgtk-3.so.0",
        "libuv.so.1",
        "libm.so.6",
        "libc.so.6",
        "libc-2.31.so",
        "ld-2.31.so",
        "ld-musl-x86_64.so.1",
        "libc.musl-x86_64.so.1",
        "linux-vdso.so.1",
    ] {
        for directory in ["/usr/lib/", "/opt/shop/lib/", "/home/ann/build/", ""] {
            let path = format!("{directory}{library}");
            assert_eq!(owner(in_library("pool_take", &path)), Owner::SystemLibrary, "{path}");
        }
    }
    let runtime = owner(in_library("f", "/usr/lib/libstdc++.so.6"));
    assert_eq!(runtime, Owner::LanguageRuntime);
    // A program may be called as it likes.
    let path = "/opt/libevent_bench";
    let bench = Frame { module: Some(path), executable: Some(path), ..Frame::default() };
    assert_eq!(owner(bench), Owner::Application);
}

#[test]
fn another_library_is_the_distributions_if_only_the_library_lies_there() {
    let png = "/usr/lib/x86_64-linux-gnu/libpng16.so.16";
    assert_eq!(owner(in_library("png_read", png)), Owner::SystemLibrary);
    assert_eq!(owner(in_library("open", "/opt/shop/lib/libshop.so")), Owner::Application);
    assert_eq!(owner(in_library("open", "/usr/local/lib/libshop.so")), Owner::Application);
    // A program of the distribution has its libraries there.
    let of_mail = Frame {
        executable: Some("/usr/bin/mail"),
        ..in_library("open", "/usr/lib/mail/libmail.so")
    };
    assert_eq!(owner(of_mail), Owner::Application);
}

#[test]
fn a_directory_that_anybody_may_have_says_nothing() {
    for source in [
        "/home/ann/glibc-wrap/wrap.c",
        "/home/ann/shop/nptl/pool.c",
        "./nptl/pool.c",
        "/home/ann/shop/include/bits/queue.h",
        "/home/ann/shop/library/core/src/lib.rs",
        "/home/ann/shop/sysdeps/clock.c",
    ] {
        for language in [Language::C, Language::Cpp, Language::Rust] {
            let frame =
                Frame { source: Some(source), language: Some(language), ..in_program("pool_take") };
            assert_eq!(owner(frame), Owner::Application, "{source} {language:?}");
            let frame = Frame { module: Some("/usr/lib/libc.so.6"), ..frame };
            assert_eq!(owner(frame), Owner::SystemLibrary, "{source} {language:?}");
        }
    }
}

#[test]
fn the_directories_of_a_compiler_say_something_in_units_of_its_language() {
    let at = |source, language| {
        let function = Some("grow");
        let frame =
            Frame { function, source: Some(source), language: Some(language), ..in_program("") };
        owner(frame)
    };
    let rust = "/rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/alloc/src/raw_vec.rs";
    assert_eq!(at(rust, Language::Rust), Owner::LanguageRuntime);
    assert_eq!(at(rust, Language::C), Owner::Application);
    assert_eq!(at("/usr/local/go/src/sort/sort.go", Language::Go), Owner::LanguageRuntime);
    let header = "/usr/include/x86_64-linux-gnu/bits/string_fortified.h";
    assert_eq!(at(header, Language::C), Owner::SystemLibrary);
    let krate = "/home/ann/.cargo/registry/src/index.crates.io-1/regex-1.9.0/src/lib.rs";
    assert_eq!(at(krate, Language::Rust), Owner::SystemLibrary);
}

#[test]
fn a_c_library_linked_into_the_program_is_known_by_its_names() {
    // glibc, musl, and allocators.
    for name in [
        "__memmove_avx_unaligned_erms",
        "_int_malloc",
        "__GI___libc_free",
        "malloc_consolidate",
        "munmap_chunk",
        "_int_memalign",
        "_IO_new_file_xsputn",
        "__pthread_mutex_lock",
        "__strlen_evex",
        "__vsnprintf_chk",
        "__lll_lock_wait_private",
        "nontrivial_free",
        "je_malloc",
        "poll",
        "read",
    ] {
        assert_eq!(owner(in_program(name)), Owner::SystemLibrary, "{name}");
    }
    for name in [
        "abort",
        "raise",
        "__GI_raise",
        "__assert_fail",
        "__pthread_kill_implementation",
        "__libc_message",
        "__libc_fatal",
        "__fortify_fail",
    ] {
        assert_eq!(owner(in_program(name)), Owner::CrashHandler, "{name}");
    }
    assert_eq!(owner(in_program("parity_chk")), Owner::Application);
}

#[test]
fn a_word_that_a_program_may_use_is_its_own_where_it_has_a_line() {
    for name in ["clone", "exit", "poll", "select", "arena_take", "kill"] {
        let source = Some("/home/ann/shop/loop.c");
        let own = Frame { source, language: Some(Language::C), ..in_program(name) };
        assert_eq!(owner(own), Owner::Application, "{name}");
        assert_ne!(owner(in_program(name)), Owner::Application, "{name}");
        let in_libc = Frame { source: Some("./io/poll.c"), ..in_library(name, "/lib/libc.so.6") };
        assert_ne!(owner(in_libc), Owner::Application, "{name}");
    }
}

#[test]
fn of_several_rows_the_most_specific_one_decides() {
    assert_eq!(owner(in_program("__asan_report_load8")), Owner::CrashHandler);
    assert_eq!(owner(in_program("__asan_memcpy")), Owner::SystemLibrary);
    assert_eq!(owner(in_program("__cxa_throw")), Owner::CrashHandler);
    assert_eq!(owner(in_program("__cxa_allocate_exception")), Owner::LanguageRuntime);
    assert_eq!(owner_in(Language::Go, "runtime.mallocgc"), Owner::LanguageRuntime);
    assert_eq!(owner_in(Language::Go, "runtime.sigpanic"), Owner::CrashHandler);
    assert_eq!(owner_in(Language::Go, "strings.Repeat"), Owner::LanguageRuntime);
    assert_eq!(owner_in(Language::Go, "main.main"), Owner::Application);
    assert_eq!(owner_in(Language::Go, "example.com/shop/text.Parse"), Owner::Application);
}

#[test]
fn crash_reporters_report() {
    let name = "google_breakpad::ExceptionHandler::SignalHandler(int, siginfo_t*, void*)";
    assert_eq!(owner_in(Language::Cpp, name), Owner::CrashHandler);
    assert_eq!(owner(in_library("f", "/lib/libSegFault.so")), Owner::CrashHandler);
}

#[test]
fn a_frame_of_which_nothing_is_known_is_the_applications() {
    let nothing = answer(&Frame::default());
    assert_eq!((nothing.owner, nothing.evidence), (Owner::Application, Evidence::None));
}

#[test]
fn names_of_any_content_are_survived() {
    for name in ["<", "<a as b>::", "< as >::f", "\u{fc}", "_Z", "_ZE", "_R", "h", ""] {
        answer(&Frame { function: Some(name), linkage_name: Some(name), ..Frame::default() });
    }
    // Implementations within implementations.
    let deep = format!("{}x{}", "<".repeat(3000), " as y>::z".repeat(3000));
    answer(&Frame { function: Some(&deep), ..Frame::default() });
}
