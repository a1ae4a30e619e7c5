"""Writes goldens.json: requests signed by botocore, an implementation independent of ours.

Run by hand (`python3 tests/auth/make-goldens.py`) where botocore is installed; the tests read the
file only. The first group has the names, inputs and credentials of the published SigV4 test suite.
"""
import json
import os
import datetime
from urllib.parse import urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

WHEN = datetime.datetime(2015, 8, 30, 12, 36, 0, tzinfo=datetime.timezone.utc)
botocore.auth.get_current_datetime = lambda *args, **kwargs: WHEN.replace(tzinfo=None)

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMic=="
HOST = "https://example.amazonaws.com"
FORM = "application/x-www-form-urlencoded"


def sign(name, method, target, headers=(), body="", service="service", region="us-east-1",
         token=None, presign=None):
    url = target if "://" in target else HOST + target
    request = AWSRequest(method=method, url=url, data=body.encode())
    for key, value in headers:
        request.headers.add_header(key, value)
    credentials = Credentials("AKIDEXAMPLE", SECRET, token)
    if presign is None:
        signer = botocore.auth.SigV4Auth(credentials, service, region)
    else:
        signer = botocore.auth.SigV4QueryAuth(credentials, service, region, expires=presign)
    signer.add_auth(request)
    parts = urlsplit(request.url)
    sent = [[key, value] for key, value in request.headers.items()]
    if not any(key.lower() == "host" for key, _ in sent):
        sent.insert(0, ["Host", parts.netloc])
    body = request.data if isinstance(request.data, bytes) else request.data.encode()
    return {
        "name": name, "method": method, "path": parts.path, "query": parts.query,
        "headers": sent, "body": body.decode(), "service": service, "region": region,
    }


CASES = [
    sign("get-vanilla", "GET", "/"),
    sign("get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1"),
    sign("get-vanilla-query-order-value", "GET", "/?Param1=value2&Param1=Value1"),
    sign("get-vanilla-empty-query-key", "GET", "/?Param1=value1"),
    sign("get-vanilla-query-unreserved", "GET",
         "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz="
         "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    sign("get-unreserved", "GET",
         "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    sign("get-utf8", "GET", "/\u1234"),
    sign("get-space", "GET", "/example%20space/"),
    sign("get-header-key-duplicate", "GET", "/",
         [("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")]),
    sign("get-header-value-order", "GET", "/",
         [("My-Header1", "value4"), ("My-Header1", "value1"), ("My-Header1", "value3"),
          ("My-Header1", "value2")]),
    sign("get-header-value-trim", "GET", "/",
         [("My-Header1", " value1"), ("My-Header2", ' "a   b   c"')]),
    sign("get-relative-normalized", "GET", "/example/.."),
    sign("get-relative-relative-normalized", "GET", "/example1/example2/../.."),
    sign("get-slash-dot-slash-normalized", "GET", "/./"),
    sign("get-slash-pointless-dot-normalized", "GET", "/./example"),
    sign("get-slash-normalized", "GET", "//"),
    sign("get-slashes-normalized", "GET", "//example//"),
    sign("post-vanilla", "POST", "/"),
    sign("post-vanilla-query", "POST", "/?Param1=value1"),
    sign("post-header-key-case", "POST", "/", [("My-Header1", "value1")]),
    sign("post-header-value-case", "POST", "/", [("My-Header1", "VALUE1")]),
    sign("post-x-www-form-urlencoded", "POST", "/", [("Content-Type", FORM)], "Param1=value1"),
    sign("post-x-www-form-urlencoded-parameters", "POST", "/",
         [("Content-Type", FORM + "; charset=utf8")], "Param1=value1"),
    sign("post-sts-header-before", "POST", "/", token=TOKEN),
    sign("empty-query-value", "GET", "/?A=&B=&C=1"),
    sign("query-blank-and-plus", "GET", "/?a=x%20y&b=x%2By&c=%C3%A9"),
    sign("header-utf8-collapsed", "GET", "/", [("My-Header1", "  voil\u00e0  \u00e0   la ")]),
    sign("path-of-queue", "POST", "/123456789012/orders", [("Content-Type", FORM)],
         "Action=SendMessage&MessageBody=a%20b", service="sqs"),
    sign("path-encoded-twice", "GET", "/a%2Fb/c%20d:e+f"),
    sign("sqs-json", "POST", "https://localhost:4566/",
         [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", "AmazonSQS.SendMessage")],
         json.dumps({"QueueUrl": "https://localhost:4566/123456789012/q", "MessageBody": "\u00e9"}),
         service="sqs"),
    sign("sns-form", "POST", "https://localhost:4566/",
         [("Content-Type", FORM + "; charset=utf-8")],
         "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A1%3At&Message=m",
         service="sns", region="eu-west-1"),
    sign("kms-json-session", "POST", "https://kms.us-east-1.localhost/",
         [("Content-Type", "application/x-amz-json-1.1"),
          ("X-Amz-Target", "TrentService.GenerateDataKey")], "{}", service="kms", token=TOKEN),
    sign("presigned-get", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", presign=60,
         service="sts"),
    sign("presigned-session", "GET", "/?Action=ListQueues", presign=604800, service="sqs",
         token=TOKEN),
    sign("presigned-blank-value", "GET", "/123456789012/orders?Action=SendMessage&MessageBody=a%20b",
         presign=900, service="sqs"),
    sign("presigned-header", "GET", "/?Action=ListTopics", [("My-Header1", "v")], presign=900,
         service="sns"),
]

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "goldens.json"), "w") as out:
    facts = {"secretAccessKey": SECRET, "sessionToken": TOKEN, "timestamp": "20150830T123600Z"}
    json.dump({**facts, "cases": CASES}, out, indent=1)
    out.write("\n")
