//! Redis, which keeps nothing.

use std::{fmt::Write as _, path::Path, process::Stdio};

use contract::context::Cache;
use process::{Group, tool};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{NotServed, Store, Stores, free_address, logged, made, password, program, until};

impl Stores {
    /// Starts a cache, and returns where it is.
    pub(super) async fn cache(
        &mut self,
        what: &str,
        entry: &str,
        wanted: &Cache,
        folder: &Path,
    ) -> Result<Cache, NotServed> {
        let server = program("redis-server", "redis-server")?;
        let folder = made(folder)?;
        let (log, address) = (folder.join("log"), free_address()?);
        let password = password()?;
        let has_password = wanted.secret.is_some();
        let mut configuration = format!(
            "port {}\nbind {}\nsave \"\"\nappendonly no\ndir \"{}\"\n",
            address.port(),
            address.ip(),
            folder.display()
        );
        if has_password {
            let _a_string_takes_all = writeln!(configuration, "requirepass {}", password.expose());
        }
        // From standard input, so that the password is in no argument.
        let mut command = tool(server);
        command.arg("-").stdin(Stdio::piped());
        logged(&mut command, &log)?;
        let mut group = Group::start(&mut command)?;
        if let Some(mut input) = group.child.stdin.take() {
            input.write_all(configuration.as_bytes()).await?;
        }
        until("redis-server", &mut group, async || TcpStream::connect(address).await.is_ok(), &log).await?;
        self.running.push(Store { what: what.to_owned(), address, product: "Redis", group });
        let secret = has_password.then(|| format!("local/caches/{entry}"));
        self.secrets.extend(secret.iter().map(|name| (name.clone(), password.clone())));
        Ok(Cache { host: address.ip().to_string(), port: address.port(), tls: false, secret })
    }
}
