"""The little of HTTP that WHIP and WHEP are made of (RFC 9725)."""

import base64
import ssl
import urllib.error
import urllib.request

PATIENCE_S = 30


class Endpoint:
    """One node's WHIP and WHEP, as one account."""

    def __init__(self, base, authority, user, password):
        self.base = base
        self.trust = ssl.create_default_context(cafile=authority)
        self.authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def open(self, path, offer):
        """Posts an offer. Returns the session: its answer, its path and its ICE session."""
        status, headers, answer = self.ask("POST", path, offer, {"Content-Type": "application/sdp"})
        if status != 201:
            raise AssertionError(f"{path}: {status} {answer}")
        return Session(self, headers["Location"], headers["ETag"], answer)

    def ask(self, method, path, body=None, headers=None):
        status, headers, answer = self.fetch(method, path, body, headers)
        return status, headers, answer.decode()

    def fetch(self, method, path, body=None, headers=None):
        """The answer as it is."""
        request = urllib.request.Request(self.base + path, method=method, data=body and body.encode())
        request.add_header("Authorization", self.authorization)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            answer = urllib.request.urlopen(request, context=self.trust, timeout=PATIENCE_S)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers, answer.read()


class Session:
    def __init__(self, endpoint, path, etag, answer):
        self.endpoint, self.path, self.etag, self.answer = endpoint, path, etag, answer

    def patch(self, fragment, if_match):
        headers = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": if_match}
        return self.endpoint.ask("PATCH", self.path, fragment, headers)

    def end(self):
        return self.endpoint.ask("DELETE", self.path)[0]
