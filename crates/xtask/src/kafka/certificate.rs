//! Who a secure listener is, and who may speak to it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::program;

/// The only user.
pub(crate) const USER: &str = "tidegate";

/// What the secure listeners of a cluster use.
pub(crate) struct Security {
    /// The brokers' key and certificate, in PKCS #12.
    pub(crate) keystore: PathBuf,
    /// The certificate that signed it, which is itself, in PEM.
    pub(crate) authority: PathBuf,
}

impl Security {
    /// Makes key and certificate, unless `folder` holds them.
    pub(crate) fn prepare(folder: &Path, password: &str) -> Result<Self, String> {
        let security = Self {
            keystore: folder.join("broker.p12"),
            authority: folder.join("ca.pem"),
        };
        // Made last.
        if !security.authority.is_file() {
            fs::create_dir_all(folder)
                .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
            security.generate(password)?;
            security.export(password)?;
        }
        Ok(security)
    }

    /// One certificate signs itself, so that it serves clients as the authority too.
    fn generate(&self, password: &str) -> Result<(), String> {
        let mut keytool = self.keytool("-genkeypair", password);
        keytool
            .args(["-keyalg", "EC", "-groupname", "secp256r1"])
            .args(["-validity", "3650", "-dname", "CN=127.0.0.1"])
            .args(["-ext", "san=ip:127.0.0.1,dns:localhost"])
            .args(["-ext", "bc:critical=ca:true"]);
        run(&mut keytool)
    }

    fn export(&self, password: &str) -> Result<(), String> {
        let mut keytool = self.keytool("-exportcert", password);
        keytool.args(["-rfc", "-file"]).arg(&self.authority);
        run(&mut keytool)
    }

    /// The password comes by the environment, for command lines are for everybody to see.
    fn keytool(&self, task: &str, password: &str) -> Command {
        let mut keytool = Command::new("keytool");
        keytool
            .args([task, "-alias", "broker", "-storetype", "PKCS12"])
            .arg("-keystore")
            .arg(&self.keystore)
            .args(["-storepass:env", "KEYSTORE_PASSWORD"])
            .env("KEYSTORE_PASSWORD", password);
        keytool
    }
}

fn run(keytool: &mut Command) -> Result<(), String> {
    program::run(keytool)
        .map(drop)
        .map_err(|reason| format!("keytool could not make a certificate: {reason}"))
}
