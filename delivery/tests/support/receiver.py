"""A receiver of webhooks that verifies each call with the reference library (standardwebhooks). It prints its port, then a
line of JSON for each call. What it is to be stands in JSON as the only argument."""

import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

wish = json.loads(sys.argv[1])
answers = list(wish.get("answers", []))


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            content = Webhook(wish["secret"]).verify(body, {key.lower(): value for key, value in self.headers.items()})
            verified = True
        except WebhookVerificationError:
            content, verified = None, False
        told = {"verified": verified, "id": self.headers["webhook-id"], "path": self.path, "body": content}
        print(json.dumps(told), flush=True)
        status = answers.pop(0) if answers else 204 if verified else 401
        self.send_response(status)
        if status >= 300:
            self.send_header("retry-after", wish.get("retry_after", "120"))
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", wish.get("port", 0)), Receiver)
if "certificate" in wish:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(wish["certificate"])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
# It ends with the test, however that ends.
sys.stdin.read()
