//! An S3 endpoint with TLS, by `openssl s_server`, with a certificate of an authority made for the occasion.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The endpoint, and the folder whose files it serves.
pub(crate) struct Tls {
    server: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Tls {
    /// Starts an endpoint; `None` without `openssl`.
    pub(crate) fn start() -> Option<Self> {
        Command::new("openssl").arg("version").stdout(Stdio::null()).status().ok()?;
        let folder = tempfile::tempdir().unwrap();
        let make = |certificate: &str, more: &str| {
            let command = format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout {certificate}.key -out {certificate}.pem {more}"
            );
            openssl(folder.path(), &command).stderr(Stdio::null()).status().unwrap()
        };
        assert!(make("authority", "-subj /CN=authority.example").success());
        let server = "-subj /CN=storage.example -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
                      -CA authority.pem -CAkey authority.key";
        assert!(make("server", server).success());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let command = format!("s_server -accept 127.0.0.1:{port} -cert server.pem -key server.key -WWW -quiet");
        let server = openssl(folder.path(), &command).stderr(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "openssl s_server does not listen");
            thread::yield_now();
        }
        Some(Self { server, folder, port })
    }

    /// Returns the endpoint's address.
    pub(crate) fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Puts an object into the folder.
    pub(crate) fn object(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Returns a bundle with the authority's certificate among those of this machine, as in Lambda: some
    /// 140.
    pub(crate) fn bundle(&self) -> String {
        let bundles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
        let mut bundle = bundles.iter().find_map(|path| fs::read(path).ok()).unwrap_or_default();
        bundle.extend(fs::read(self.folder.path().join("authority.pem")).unwrap());
        let path = self.folder.path().join("bundle.pem");
        fs::write(&path, bundle).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn openssl(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new("openssl");
    command.args(arguments.split_whitespace()).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
