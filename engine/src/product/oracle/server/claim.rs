//! A claim by name: a user lock of the server's, which ends with its session.

use std::time::Duration;

use async_trait::async_trait;
use drydock_oracle_protocol::{Bind, BindType, Execute};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::Oracle;
use crate::error::{Error, Result};
use crate::product::Claim;
use crate::product::oracle::session::Session;

const LIMIT: Duration = Duration::from_secs(20);
/// The largest number of a lock that is told by its number alone: DBMS_LOCK, "Constants".
const NUMBERS: u32 = 1 << 30;
/// The code that says that another session has it.
const TAKEN: &str = "ORA-20991";
/// Mode 6 is exclusive. Results 0 and 4: it is ours.
const TAKE: &str = "/* drydock claim */ BEGIN IF DBMS_LOCK.REQUEST(:1, 6, 0, FALSE) NOT IN (0, 4) THEN \
                    RAISE_APPLICATION_ERROR(-20991, 'claimed'); END IF; END;";

/// `None`: another session has it.
///
/// # Errors
/// As the server has it, and `Refused` where the user may not use DBMS_LOCK.
pub async fn take(database: &Oracle, name: &str) -> Result<Option<Box<dyn Claim>>> {
    let mut session = database.connect(&format!("{name} claim")).await?;
    let row = vec![Bind::new(BindType::Number, number(name).to_string())];
    let taken = session.execute(Execute { sql: TAKE.to_owned(), rows: vec![row] }, LIMIT).await;
    match taken {
        Ok(_) => Ok(Some(Box::new(Held(Mutex::new(session))))),
        Err(e) if e.code.as_deref() == Some(TAKEN) => Ok(None),
        Err(e) if e.code.as_deref() == Some("ORA-06550") => {
            let user = &database.endpoint.user;
            Err(Error::refused(format!("{user} may not use DBMS_LOCK, by which one run keeps others away"))
                .because(e)
                .hint(format!("GRANT EXECUTE ON SYS.DBMS_LOCK TO {user}")))
        }
        Err(e) => Err(e),
    }
}

/// The number of a lock, from its name: nothing is written for it.
fn number(name: &str) -> u32 {
    let digest = Sha256::digest(format!("drydock claim {name}"));
    let bytes = digest.iter().take(4);
    bytes.fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) % NUMBERS
}

struct Held(Mutex<Session>);

#[async_trait]
impl Claim for Held {
    async fn held(&self) -> bool {
        self.0.lock().await.is_alive(LIMIT).await
    }
    async fn release(self: Box<Self>) {
        self.0.into_inner().close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_numbers_that_the_server_takes() {
        assert_ne!(number("drydock"), number("drydock 2"));
        for name in ["", "drydock", "a", "b", "c", "d"] {
            assert!(number(name) < NUMBERS, "{name}");
        }
    }
}
