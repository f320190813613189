// Makes vectors of webhooks with the senders' own libraries, as a JSON list on standard output. In a copy of this folder:
//
//     npm install @octokit/webhooks-methods@6 @shopify/shopify-api@13
//     node make.mjs > node.json
//
// The secret and the bodies are made up.

import { readFileSync } from "node:fs";
import { sign } from "@octokit/webhooks-methods";
import "@shopify/shopify-api/adapters/node";
import { ApiVersion, shopifyApi } from "@shopify/shopify-api";
import { createSHA256HMAC, HashFormat } from "@shopify/shopify-api/runtime";

const secret = "example-Secret_of.24+characters";
const url = "https://in.example.com/job-complete";
const version = (name) => `${name} ${JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version}`;
const shopify = shopifyApi({
  apiSecretKey: secret, apiKey: "key", hostName: "in.example.com", apiVersion: Object.values(ApiVersion)[0], isEmbeddedApp: false,
  logger: { log: () => {} },
});

const vectors = [];
for (const body of [
  '{"id": "016f6063-51a1-4948-a827-ce4c31ec53ed", "event": "job_complete", "msg": "Job complete"}',
  '{"msg": "Grüße, 完了 \\u0000"}\n',
]) {
  const add = (made_with, scheme, headers) =>
    vectors.push({ made_with, scheme: { scheme }, secret, url, content_type: "application/json", headers, body });
  add(version("@octokit/webhooks-methods"), "github", { "X-Hub-Signature-256": await sign(secret, body) });
  const code = await createSHA256HMAC(secret, body, HashFormat.Base64);
  const headers = { "X-Shopify-Hmac-Sha256": code };
  const others = { "X-Shopify-Topic": "a/b", "X-Shopify-API-Version": "1", "X-Shopify-Shop-Domain": "a", "X-Shopify-Webhook-Id": "1" };
  const rawRequest = { method: "POST", url: "/", headers: { ...headers, ...others } };
  const verdict = await shopify.webhooks.validate({ rawBody: body, rawRequest });
  if (!verdict.valid) throw new Error(JSON.stringify(verdict));
  add(version("@shopify/shopify-api"), "shopify", headers);
}
console.log(JSON.stringify(vectors, null, 1));
