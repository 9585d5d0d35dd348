const https = require('https');
const options = { hostname: 'api.example.test', path: '/v1/messages', method: 'POST', headers: { 'anthropic-version': '2023-06-01' } };
const req = https.request(options, (res) => { res.on('data', (d) => process.stdout.write(d)); });
req.write(JSON.stringify({ model: 'm-1', max_tokens: 8, messages: [{ role: 'user', content: 'it\'s a "test" & more' }] }));
req.end();
