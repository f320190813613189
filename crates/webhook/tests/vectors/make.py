"""Makes vectors of webhooks with the senders' own libraries, as a JSON list on standard output.

    pip install svix standardwebhooks stripe slack_sdk twilio
    python make.py > python.json

Secrets and bodies are made up. Codes of one's own are made with Python's hmac module.
"""

import base64
import datetime
import hashlib
import hmac
import json

import slack_sdk.signature
import standardwebhooks
import stripe
import svix
import twilio.request_validator

TIME = 1_800_000_000
ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
URL = "https://in.example.com/job-complete"
BODIES = [
    '{"id": "016f6063-51a1-4948-a827-ce4c31ec53ed", "event": "job_complete", "msg": "Job complete"}',
    '{"msg": "Grüße, 完了 \\u0000"}\n',
    "",
]
KEY = base64.b64encode(bytes(range(24))).decode()
LONG_KEY = base64.b64encode(bytes(range(200, 256)) + bytes(8)).decode()
TEXT = "example-Secret_of.24+characters"

vectors = []


class Fields(dict):
    """Fields of a form, of which one may stand there twice."""

    def getall(self, name):
        return self[name]


def add(made_with, scheme, secret, body, headers, url=URL, content_type="application/json", **more):
    vectors.append({
        "made_with": made_with, "scheme": {"scheme": scheme, **more}, "secret": secret, "url": url,
        "content_type": content_type, "headers": headers, "body": body,
    })


def version(module):
    import importlib.metadata
    return f"{module} {importlib.metadata.version(module)}"


moment = datetime.datetime.fromtimestamp(TIME, datetime.timezone.utc)
for body in BODIES:
    for key in ["whsec_" + KEY, KEY, "whsec_" + LONG_KEY]:
        for scheme, prefix, library in [("standard-webhooks", "webhook", standardwebhooks), ("svix", "svix", svix)]:
            code = library.Webhook(key).sign(ID, moment, body)
            headers = {f"{prefix}-id": ID, f"{prefix}-timestamp": str(TIME), f"{prefix}-signature": code}
            add(version(library.__name__), scheme, key, body, headers)

    code = stripe.WebhookSignature._compute_signature(f"{TIME}.{body}", TEXT)
    header = f"t={TIME},v1={code}"
    assert stripe.WebhookSignature.verify_header(body, header, TEXT)
    add(version("stripe"), "stripe", TEXT, body, {"Stripe-Signature": header})

    code = slack_sdk.signature.SignatureVerifier(TEXT).generate_signature(timestamp=str(TIME), body=body)
    headers = {"X-Slack-Request-Timestamp": str(TIME), "X-Slack-Signature": code}
    add(version("slack_sdk"), "slack", TEXT, body, headers)

    validator = twilio.request_validator.RequestValidator(TEXT)
    for url in [URL, URL + "?a=1&b=%20x"]:
        signed = url + ("&" if "?" in url else "?") + "bodySHA256=" + validator.compute_hash(body)
        code = validator.compute_signature(signed, {})
        assert validator.validate(signed, body, code)
        add(version("twilio"), "twilio", TEXT, body, {"X-Twilio-Signature": code}, url=signed)

    for algorithm in ["sha1", "sha256", "sha512"]:
        code = hmac.new(TEXT.encode(), body.encode(), getattr(hashlib, algorithm)).digest()
        for encoding, written in [("hex", code.hex()), ("base64", base64.b64encode(code).decode())]:
            for prefix in ["", f"{algorithm}="]:
                add("Python's hmac", "hmac", TEXT, body, {"X-Code": prefix + written}, header="X-Code",
                    algorithm=algorithm, encoding=encoding, prefix=prefix)

FORM = "application/x-www-form-urlencoded"
for body, fields in [
    ("CallSid=CA1&Caller=%2B14155550100&Digits=12+34", {"CallSid": ["CA1"], "Caller": ["+14155550100"], "Digits": ["12 34"]}),
    ("b=2&a=1&B=3&a=%C3%BC", {"b": ["2"], "a": ["1", "ü"], "B": ["3"]}),
    ("", {}),
]:
    for url in [URL, URL.replace(".com/", ".com:443/"), URL + "?foo=1&bar=2"]:
        code = validator.compute_signature(url, Fields(fields))
        add(version("twilio"), "twilio", TEXT, body, {"X-Twilio-Signature": code}, url=url, content_type=FORM)

print(json.dumps(vectors, indent=1, ensure_ascii=False))
