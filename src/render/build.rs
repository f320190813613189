//! Shows the progress of a build: a moving line on a terminal, plain lines elsewhere; at the end the
//! artifact.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::{Printer, VERSION, look::clean, maintenances::lines};
use declaration::Code;
use package::{Artifact, Linking, Progress, Upload};

/// Without a terminal, one line is printed for every N crates, so that a log shows progress.
const TOLD: usize = 50;

/// The view of one function's build.
pub(crate) struct Building<'printer> {
    printer: &'printer Printer,
    function: String,
    bar: Option<ProgressBar>,
}

impl<'printer> Building<'printer> {
    /// Begins to show it. A zip that is taken as it is needs no building.
    pub(crate) fn begin(printer: &'printer Printer, function: &str, code: &Code) -> Self {
        let is_built = matches!(code, Code::Crate { .. });
        let bar = (is_built && printer.is_watched()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {wide_msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.set_prefix(clean(function));
            bar.set_message("compiling");
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        let building = Self { printer, function: function.to_owned(), bar };
        if is_built && building.bar.is_none() {
            building.line("building");
        }
        building
    }

    /// Shows one step of the build.
    pub(crate) fn show(&self, progress: Progress<'_>) {
        match progress {
            Progress::Compiled { name, count } => {
                self.state(format!("crates compiled: {count}, the last {}", clean(name)), count.is_multiple_of(TOLD));
            }
            Progress::Said(text) => self.above(&text.lines().map(clean).collect::<Vec<_>>().join("\n")),
            Progress::BuiltAgain { version } => self
                .line(&format!("this machine's C library is newer than Lambda's ({}): linking it in", clean(version))),
            Progress::Packing => self.state("packing".to_owned(), false),
        }
    }

    /// Ends the view with the artifact.
    pub(crate) fn end(self, artifact: &Artifact) {
        self.line(&format!("{}, {}", size(artifact.size), artifact.path.display()));
    }

    fn state(&self, state: String, is_told: bool) {
        match &self.bar {
            Some(bar) => bar.set_message(state),
            None if is_told => self.line(&state),
            None => {}
        }
    }

    fn line(&self, text: &str) {
        self.above(&format!("{}: {text}", clean(&self.function)));
    }

    /// Prints a line above the moving one.
    fn above(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.printer.line(text)),
            None => self.printer.line(text),
        }
    }
}

/// Clears the moving line, however the build ended.
impl Drop for Building<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A function that was built.
#[derive(Debug)]
pub(crate) struct Built<'built> {
    /// The function, by entry name.
    pub(crate) function: &'built str,
    /// The zip and its hashes.
    pub(crate) artifact: Artifact,
    /// Path of the zip.
    pub(crate) path: PathBuf,
}

/// The document of `build --json`.
#[derive(Debug, Serialize)]
struct Document<'document> {
    version: u32,
    functions: Vec<Record<'document>>,
}

/// A function of the JSON document.
#[derive(Debug, Serialize)]
struct Record<'record> {
    function: &'record str,
    #[serde(flatten)]
    code: Origin<'record>,
    architecture: &'static str,
    linking: Linking,
    upload: Upload,
    size: u64,
    unpacked: u64,
    build: &'record str,
    code_sha256: &'record str,
    path: &'record Path,
}

/// The origin of a function's code, with the keys of the declaration.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Origin<'record> {
    Crate {
        #[serde(rename = "crate")]
        package: &'record str,
        bin: Option<&'record str>,
    },
    Shipped {
        #[serde(rename = "use")]
        name: &'record str,
    },
}

impl<'record> From<&'record Code> for Origin<'record> {
    fn from(code: &'record Code) -> Self {
        match code {
            Code::Crate { package, bin } => Self::Crate { package, bin: bin.as_deref() },
            Code::Shipped(name) => Self::Shipped { name },
        }
    }
}

/// Prints what was built: a table, or the one JSON document.
pub(crate) fn built(printer: &Printer, all: &[Built<'_>]) -> serde_json::Result<()> {
    printer.data(&if printer.is_json() { document(all)? } else { table(all) });
    Ok(())
}

fn document(all: &[Built<'_>]) -> serde_json::Result<String> {
    serde_json::to_string(&Document { version: VERSION, functions: all.iter().map(Record::of).collect() })
}

impl<'record> Record<'record> {
    fn of(built: &'record Built<'_>) -> Self {
        let artifact = &built.artifact;
        Self {
            function: built.function,
            code: Origin::from(&artifact.code),
            architecture: artifact.architecture.name(),
            linking: artifact.linking,
            upload: artifact.upload,
            size: artifact.size,
            unpacked: artifact.unpacked,
            build: &artifact.build,
            code_sha256: &artifact.code_sha256,
            path: &built.path,
        }
    }
}

fn table(all: &[Built<'_>]) -> String {
    if all.is_empty() {
        return "no functions are declared".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).force_no_tty().set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["FUNCTION", "RUNS ON", "SIZE", "SHA-256", "ZIP"]);
    for built in all {
        let upload = if built.artifact.upload == Upload::Bucket { " (through a bucket)" } else { "" };
        table.add_row([
            clean(built.function),
            built.artifact.architecture.name().to_owned(),
            format!("{}{upload}", size(built.artifact.size)),
            built.artifact.code_sha256.clone(),
            clean(&built.path.display().to_string()),
        ]);
    }
    lines(&table)
}

/// Formats a size: "4.43 MB"; a megabyte is a million bytes.
fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..1_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{}.{:02} MB", bytes / 1_000_000, bytes % 1_000_000 / 10_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use package::Architecture;

    fn artifact(code: Code, size: u64, upload: Upload) -> Artifact {
        Artifact {
            code,
            zip: [].into(),
            path: PathBuf::from("target/provision/zip-2/a.zip"),
            build: "0a1b2c3d4e5f6071".to_owned(),
            code_sha256: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned(),
            size,
            unpacked: 3 * size,
            architecture: Architecture::X86_64,
            linking: Linking::Dynamic,
            upload,
        }
    }

    #[test]
    fn the_table_and_the_document_name_zips_that_go_through_a_bucket() {
        let package = Code::Crate { package: "large".to_owned(), bin: Some("reader".to_owned()) };
        let small = artifact(Code::Shipped("maintenance".to_owned()), 4_431_473, Upload::Direct);
        let large = artifact(package, 61_000_000, Upload::Bucket);
        let built = |function, artifact: Artifact| {
            let path = artifact.path.clone();
            Built { function, artifact, path }
        };
        let all = [built("maintenance", small), built("large", large)];
        insta::assert_snapshot!(table(&all), @r"
        FUNCTION     RUNS ON  SIZE                         SHA-256                                       ZIP
        maintenance  x86_64   4.43 MB                      47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=  target/provision/zip-2/a.zip
        large        x86_64   61.00 MB (through a bucket)  47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=  target/provision/zip-2/a.zip
        ");
        insta::assert_snapshot!(document(&all).unwrap(), @r#"{"version":1,"functions":[{"function":"maintenance","use":"maintenance","architecture":"x86_64","linking":"dynamic","upload":"direct","size":4431473,"unpacked":13294419,"build":"0a1b2c3d4e5f6071","code_sha256":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","path":"target/provision/zip-2/a.zip"},{"function":"large","crate":"large","bin":"reader","architecture":"x86_64","linking":"dynamic","upload":"bucket","size":61000000,"unpacked":183000000,"build":"0a1b2c3d4e5f6071","code_sha256":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","path":"target/provision/zip-2/a.zip"}]}"#);
        assert_eq!(table(&[]), "no functions are declared");
    }

    #[test]
    fn sizes_are_told_with_two_digits() {
        assert_eq!([999, 12_345, 4_006_999, 61_000_000].map(size), ["999 B", "12 kB", "4.00 MB", "61.00 MB"]);
    }
}
