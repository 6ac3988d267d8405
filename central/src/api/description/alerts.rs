//! Alerts, channels, and what was told.

use super::operation::{Anything, Operation, json, made, nothing, op, page};

/// What a channel is made of.
const CHANNEL: &str = "name:string to:object scope?:object quiet?:object-or-null per_hour?:integer enabled?:boolean \
                       secret?:nullable";

pub(super) const OPERATIONS: &[Operation] = &[
    op(
        "GET /api/v1/alerts",
        "list_alerts",
        page::<Anything>(),
        "What is open, the gravest first; or what is over, what ended last first",
    )
    .asked("state?:open|past code?:string gravity?:problem|warning|note"),
    op(
        "GET /api/v1/alerts/figures",
        "show_alert_figures",
        json::<Anything>(),
        "How many alerts are open, and what waits to be told",
    ),
    op(
        "POST /api/v1/alerts/acknowledge",
        "acknowledge_alert",
        json::<Anything>(),
        "Say that you know of an alert: nothing more is told of it until it changes, or until a time",
    )
    .takes("application:string code:string subject?:string why?:string until?:nullable"),
    op("POST /api/v1/alerts/withdraw", "withdraw_acknowledgement", nothing(), "Take an acknowledgement back")
        .takes("application:string code:string subject?:string"),
    op("GET /api/v1/channels", "list_channels", json::<Anything>(), "Where alerts go, without any secret"),
    op(
        "POST /api/v1/channels",
        "add_channel",
        made::<Anything>(),
        "Add a channel; the answer holds the secret of a webhook, this once",
    )
    .takes(CHANNEL),
    op("GET /api/v1/channels/{channel}", "show_channel", json::<Anything>(), "A channel"),
    op("PUT /api/v1/channels/{channel}", "change_channel", json::<Anything>(), "Change a channel; its secret stays")
        .takes(CHANNEL),
    op("DELETE /api/v1/channels/{channel}", "remove_channel", nothing(), "Remove a channel"),
    op(
        "POST /api/v1/channels/{channel}/test",
        "test_channel",
        json::<Anything>(),
        "Send a test to every place of a channel, and say what came of it",
    ),
    op(
        "POST /api/v1/channels/{channel}/secret",
        "rotate_channel",
        json::<Anything>(),
        "Make another secret for a webhook; the answer holds it, this once",
    ),
    op(
        "GET /api/v1/messages",
        "list_messages",
        page::<Anything>(),
        "What was told, and what became of it, the newest first",
    )
    .asked("channel?:string"),
    op("GET /api/v1/alert-settings", "show_alert_settings", json::<Anything>(), "What holds for all alerts"),
    op("PUT /api/v1/alert-settings", "set_alert_settings", json::<Anything>(), "Set what holds for all alerts")
        .takes("reminders?:object pace?:object mail?:object-or-null local_webhooks?:boolean password?:nullable"),
];
