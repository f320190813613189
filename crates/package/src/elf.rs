//! Checks that Lambda's `provided.al2023` can run a binary: its processor, its C library (glibc 2.34), and no other
//! library. The build machine may have libraries that Lambda lacks, and a function that cannot start says so only when
//! the first event comes.

use object::{
    Endianness,
    elf::{DT_NEEDED, EM_AARCH64, EM_X86_64, FileHeader64, Machine, VER_FLG_WEAK},
    read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _, SectionTable},
};

use super::{Architecture, Linking};

/// The C library of Amazon Linux 2023.
const GLIBC: &[u32] = &[2, 34];

/// Libraries that come with it: the C library's parts, the unwinder, and the loader.
const LIBRARIES: [&str; 9] = [
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "librt.so.1",
    "libpthread.so.0",
    "libresolv.so.2",
    "libgcc_s.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
];

/// The reasons why Lambda could not run a binary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is not a program for Linux, or it is damaged.
    #[error("it is no ELF binary of 64 bits: {0}")]
    NoElf(String),
    /// It is built for another processor.
    #[error("it is for {found}, not for {}", wanted.name())]
    Machine {
        /// Processor that it was built for.
        found: String,
        /// Processor that the function declares.
        wanted: Architecture,
    },
    /// It needs a loader that Lambda lacks.
    #[error("it asks for the loader `{0}`, which Lambda does not have")]
    Loader(String),
    /// It needs a library that Lambda lacks.
    #[error("it asks for the library `{0}`, which Lambda does not have")]
    Library(String),
    /// It needs a newer C library than Lambda's.
    #[error("it asks for {0}, and Lambda has GLIBC_2.34")]
    CLibrary(String),
}

impl Unfit {
    /// Returns what to do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Library(_) => "link it statically: most crates that bind a C library have a feature for it",
            Self::Loader(_) => "build with the linker of a common Linux, such as Debian's",
            Self::CLibrary(_) => "build on a machine whose C library is not newer than 2.34",
            Self::NoElf(_) | Self::Machine { .. } => "look for a `build.target` or a `linker` in Cargo's configuration",
        }
    }
}

impl From<object::Error> for Unfit {
    fn from(error: object::Error) -> Self {
        Self::NoElf(error.to_string())
    }
}

type Header = FileHeader64<Endianness>;

/// Returns the processor that a binary is for.
pub(super) fn architecture(binary: &[u8]) -> Result<Architecture, Unfit> {
    let header = Header::parse(binary)?;
    let found = header.e_machine(header.endian()?);
    let known = [Architecture::X86_64, Architecture::Arm64].into_iter().find(|known| machine(*known) == found);
    known.ok_or_else(|| Unfit::NoElf(describe(found)))
}

/// Returns where a binary's C library comes from: one without a loader brings its own.
pub(super) fn linking(binary: &[u8]) -> Result<Linking, Unfit> {
    let header = Header::parse(binary)?;
    let endian = header.endian()?;
    for segment in header.program_headers(endian, binary)? {
        if segment.interpreter(endian, binary)?.is_some() {
            return Ok(Linking::Dynamic);
        }
    }
    Ok(Linking::Static)
}

/// Examines a binary. `Some`: Lambda could run it but for its C library, and this is the version that it asks for.
pub(super) fn examine(binary: &[u8], architecture: Architecture) -> Result<Option<String>, Unfit> {
    let header = Header::parse(binary)?;
    let endian = header.endian()?;
    let found = header.e_machine(endian);
    if found != machine(architecture) {
        return Err(Unfit::Machine { found: describe(found), wanted: architecture });
    }
    for segment in header.program_headers(endian, binary)? {
        if let Some(loader) = segment.interpreter(endian, binary)? {
            let loader = text(loader);
            if !["/lib/", "/lib64/"].iter().any(|folder| loader.strip_prefix(folder).is_some_and(is_there)) {
                return Err(Unfit::Loader(loader));
            }
        }
    }
    let sections = header.sections(endian, binary)?;
    let dynamic = sections.dynamic_table(endian, binary)?;
    for entry in dynamic.dynamics().iter().filter(|entry| entry.tag(endian) == DT_NEEDED) {
        let library = text(entry.string(endian, *dynamic.strings())?);
        if !is_there(&library) {
            return Err(Unfit::Library(library));
        }
    }
    newest(&sections, endian, binary)
}

/// Returns the newest version of the C library that the binary needs and Lambda lacks. A weak one may be absent.
fn newest(sections: &SectionTable<'_, Header>, endian: Endianness, binary: &[u8]) -> Result<Option<String>, Unfit> {
    let Some((mut libraries, strings)) = sections.gnu_verneed(endian, binary)? else { return Ok(None) };
    let strings = sections.strings(endian, binary, strings)?;
    let mut newer: Option<(Vec<u32>, String)> = None;
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(version) = versions.next()? {
            let name = text(version.name(endian, strings)?);
            let Some(number) = name.strip_prefix("GLIBC_") else { continue };
            // A version that is not a number (`GLIBC_ABI_…`) marks a loader feature newer than 2.34.
            let number = numbers(number).unwrap_or_else(|| vec![u32::MAX]);
            let is_weak = version.vna_flags.get(endian).contains(VER_FLG_WEAK);
            let is_newest = newer.as_ref().is_none_or(|(newest, _)| number > *newest);
            if number.as_slice() > GLIBC && !is_weak && is_newest {
                newer = Some((number, name));
            }
        }
    }
    Ok(newer.map(|(_, name)| name))
}

fn machine(architecture: Architecture) -> Machine {
    match architecture {
        Architecture::X86_64 => EM_X86_64,
        Architecture::Arm64 => EM_AARCH64,
    }
}

fn describe(machine: Machine) -> String {
    match machine {
        EM_X86_64 => Architecture::X86_64.name().to_owned(),
        EM_AARCH64 => Architecture::Arm64.name().to_owned(),
        Machine(other) => format!("the processor of ELF's number {other}"),
    }
}

fn is_there(library: &str) -> bool {
    LIBRARIES.contains(&library)
}

/// Returns the numbers of a version: `2.2.5` → 2, 2, 5; `None` if a part is not a number.
fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|number| number.parse().ok()).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Returns a dynamic program that exists wherever tests run: this one.
    fn program() -> Vec<u8> {
        fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
        assert_eq!(old.len(), new.len());
        let mut bytes = bytes.to_vec();
        let places: Vec<_> = (0..=bytes.len() - old.len()).filter(|at| bytes[*at..].starts_with(old)).collect();
        assert!(!places.is_empty());
        for at in places {
            bytes[at..at + old.len()].copy_from_slice(new);
        }
        bytes
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
    fn what_lambda_lacks_is_named() {
        let program = program();
        assert!(
            matches!(examine(&program, Architecture::X86_64), Ok(None)),
            "{:?}",
            examine(&program, Architecture::X86_64)
        );
        let wrong = Unfit::Machine { found: "x86_64".to_owned(), wanted: Architecture::Arm64 };
        assert_eq!(examine(&program, Architecture::Arm64), Err(wrong));
        let library = replaced(&program, b"\0libgcc_s.so.1\0", b"\0libssl.so.300\0");
        assert_eq!(examine(&library, Architecture::X86_64), Err(Unfit::Library("libssl.so.300".to_owned())));
        let loader = replaced(&program, b"/lib64/ld-linux-x86-64.so.2\0", b"/nix/store/ab/ld-linux.so.2\0");
        assert_eq!(
            examine(&loader, Architecture::X86_64),
            Err(Unfit::Loader("/nix/store/ab/ld-linux.so.2".to_owned()))
        );
        let newer = replaced(&program, b"\0GLIBC_2.34\0", b"\0GLIBC_2.38\0");
        assert_eq!(examine(&newer, Architecture::X86_64), Ok(Some("GLIBC_2.38".to_owned())));
    }

    #[test]
    fn what_is_no_program_is_told_so_and_any_bytes_have_an_answer() {
        assert!(matches!(examine(b"#!/bin/sh\n", Architecture::X86_64), Err(Unfit::NoElf(_))));
        assert!(matches!(examine(b"", Architecture::Arm64), Err(Unfit::NoElf(_))));
        let program = program();
        for length in (0..4096).step_by(7) {
            assert!(examine(&program[..length], Architecture::X86_64).is_err(), "{length}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let is_newer = |version| numbers(version).unwrap().as_slice() > GLIBC;
        assert!(!is_newer("2.2.5") && !is_newer("2.9") && !is_newer("2.34"));
        assert!(is_newer("2.35") && is_newer("2.100") && is_newer("3.0"));
        assert_eq!(numbers("ABI_DT_RELR"), None);
    }
}
