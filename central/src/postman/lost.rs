//! Secrets that this server cannot open: they were encrypted with another key than its own, as after a restoration
//! beside another key file, or were damaged. Nothing is sent with them until somebody sets them again.

use serde::Serialize;

use super::WebhookSecrets;
use super::means::opens_password;
use crate::central::Central;
use crate::domain::alerts::channel::Target;
use crate::domain::ids::ChannelId;
use crate::store::Stored;

/// What a secret that cannot be opened is told by.
pub const LOST: &str = "secret-unreadable";

/// A secret that cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostSecret {
    /// [`LOST`].
    pub code: &'static str,
    /// The channel that it belongs to; absent for the password of the mail server.
    pub channel: Option<ChannelId>,
    /// What it is, and what to do, in a sentence.
    pub message: String,
}

impl Central {
    /// The secrets that have to be set again, as this server's key does not open them: of the mail server first, then
    /// of the channels by name.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn lost_secrets(&self) -> Stored<Vec<LostSecret>> {
        let mut lost = Vec::new();
        if !opens_password(self, &self.store().alert_settings().await?) {
            let message = "The password of the mail server cannot be opened with this server's key: set it again under \
                           Administration, Alerts.";
            lost.push(LostSecret { code: LOST, channel: None, message: message.to_owned() });
        }
        for kept in self.store().channels().await? {
            let (id, name) = (&kept.channel.id, &kept.channel.config.name);
            let is_webhook = matches!(kept.channel.config.to, Target::Webhook { .. });
            if is_webhook && kept.sealed.is_some() && WebhookSecrets::unlock(self, id, kept.sealed.as_deref()).is_err()
            {
                let message = format!(
                    "The URL and the secret of the webhook {name} cannot be opened with this server's key: set its URL again, \
                     then make a new secret."
                );
                lost.push(LostSecret { code: LOST, channel: Some(id.clone()), message });
            }
        }
        Ok(lost)
    }

    /// Tells in the log which secrets have to be set again; gives them.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn tell_lost_secrets(&self) -> Stored<Vec<LostSecret>> {
        let lost = self.lost_secrets().await?;
        for LostSecret { code, message, .. } in &lost {
            tracing::error!(code, "{message}");
        }
        Ok(lost)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use seatline_protocol::SecretKey;
    use seatline_protocol::pairing::Secret;

    use super::*;
    use crate::domain::{Actor, Clock};
    use crate::keyring::Keyring;
    use crate::secrets::lock;
    use crate::store::Store;
    use crate::store::sql::SqlStore;

    #[tokio::test(flavor = "multi_thread")]
    async fn secrets_of_another_key_are_named_until_they_are_set_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let store: Arc<dyn Store> = Arc::new(SqlStore::sqlite(&dir.path().join("central.db")).expect("a store"));
        let keys = |n: u8| Keyring::new(SecretKey::from_seed(&[n; 32]), Secret::from_bytes([2; 32]));
        let central = Central::open(Arc::clone(&store), keys(1), Clock::system(), "Example", "https://central.example")
            .await
            .expect("a central server");
        let actor = Actor::command_line("ada");
        let config = |url: &str| {
            serde_json::from_value(serde_json::json!({
                "name": "Chat", "to": {"kind": "webhook", "url": url}, "scope": {"least": "note"}, "per_hour": 60,
            }))
            .expect("a channel")
        };
        let made = central.add_channel(&actor, config("https://chat.example/hook?token=hunter2"), None).await;
        let id = made.expect("added").channel.id;
        assert_eq!(central.tell_lost_secrets().await.expect("read"), []);

        let mut settings = store.alert_settings().await.expect("read").settings;
        settings.mail = serde_json::from_value(serde_json::json!({
            "host": "mail.example", "sender": "seatline@example.org", "security": "tls", "user": "seatline",
        }))
        .expect("a mail server");
        let act = central.act(&actor).expect("an act");
        let foreign = lock(&keys(7), "mail-server", "hunter2").expect("locked");
        store.set_alert_settings(&act, &settings, Some(&foreign)).await.expect("set");
        let foreign = lock(&keys(7), &format!("channel/{id}"), "{}").expect("locked");
        let kept = central.channel(&id).await.expect("there");
        store.rotate_channel(&central.act(&actor).expect("an act"), &kept, &foreign).await.expect("set");

        let lost = central.tell_lost_secrets().await.expect("read");
        assert_eq!(
            lost.iter().map(|one| (one.code, &one.channel)).collect::<Vec<_>>(),
            [(LOST, &None), (LOST, &Some(id.clone()))]
        );
        assert!(
            lost[1].message.contains("Chat") && lost.iter().all(|one| !one.message.contains("hunter2")),
            "{lost:?}"
        );

        let kept = central.channel(&id).await.expect("there");
        central.change_channel(&actor, &kept, config("https://chat.example/other")).await.expect("set again");
        assert_eq!(central.lost_secrets().await.expect("read").len(), 1, "the mail server is left");
    }
}
