// The part of undici that the action uses (see dev/build.ts), under the names that undici's index gives it.
const api = require('undici/lib/api/index.js');
const Agent = require('undici/lib/dispatcher/agent.js');
const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');
const buildConnector = require('undici/lib/core/connect.js');
const EnvHttpProxyAgent = require('undici/lib/dispatcher/env-http-proxy-agent.js');
const Pool = require('undici/lib/dispatcher/pool.js');
const ProxyAgent = require('undici/lib/dispatcher/proxy-agent.js');

// As undici's index does: a ProxyAgent calls its client's connect().
Object.assign(Dispatcher.prototype, api);

module.exports = {
  Agent,
  buildConnector,
  EnvHttpProxyAgent,
  Pool,
  ProxyAgent,
  request: (address, { dispatcher, ...options }) => {
    const url = new URL(address);
    return dispatcher.request({ method: 'GET', ...options, origin: url.origin, path: `${url.pathname}${url.search}` });
  },
};
