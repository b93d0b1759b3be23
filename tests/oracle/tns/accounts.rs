//! Who is let in.

use super::conversation::Conversation;
use super::log::Call;
use super::logon::{Challenge, Credentials, write_session};
use super::packet::{Broken, Result};
use super::reply::{Ending, warning};
use super::server::Account;
use super::write::Writer;

impl Conversation {
    pub(super) fn first_half(&mut self, mut reply: Writer) -> Result<()> {
        let given = Credentials::read(&mut self.wire, self.is_ojdbc)?;
        self.session.take_pairs(&given.pairs);
        self.session.user = given.user;
        let known = self.shared.config.users.get(&self.session.user);
        self.challenge = Some(Challenge::new(known.map(|(password, _)| password.as_str()), &mut reply));
        self.end(Ending::default(), reply)
    }

    pub(super) fn second_half(&mut self) -> Result<()> {
        let given = Credentials::read(&mut self.wire, self.is_ojdbc)?;
        let Some(challenge) = self.challenge.take() else {
            return Err(Broken::Malformed("the second half of logging on without the first".into()));
        };
        let (password, key) = challenge.open(&given.pairs)?;
        let known = self.shared.config.users.get(&self.session.user).cloned();
        let right =
            known.filter(|(known, account)| known.as_bytes() == password || *account == Account::Locked);
        let refusal = match right.as_ref().map(|(_, account)| account) {
            None => Some((1017, "invalid credential or not authorized; logon denied")),
            Some(Account::Locked) => Some((28000, "The account is locked.")),
            Some(Account::Expired) => Some((28001, "The account has expired.")),
            Some(Account::Open | Account::Expiring) => None,
        };
        if let Some((code, message)) = refusal {
            let message = format!("ORA-{code:05}: {message}");
            return self.end(Ending { code, message, ..Default::default() }, Writer::new());
        }
        self.session.current_schema = self.session.user.clone();
        self.session.take_pairs(&given.pairs);
        self.log(Call::LogOn);
        let mut reply = Writer::new();
        write_session(self.version(), &self.session.service, self.session.id, &key, &mut reply);
        if let Some((_, Account::Expiring)) = right {
            warning(28002, "ORA-28002: the password will expire within 7 days", &mut reply);
        }
        self.end(Ending::default(), reply)
    }
}
