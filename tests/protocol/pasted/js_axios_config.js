const axios = require('axios');
let data = JSON.stringify({
  "model": "m-1",
  "max_tokens": 8,
  "messages": [{ "role": "user", "content": "it's a \"test\" & more" }]
});
let config = {
  method: 'post',
  maxBodyLength: Infinity,
  url: 'https://api.example.test/v1/messages',
  headers: { 'anthropic-version': '2023-06-01' },
  data : data
};
axios.request(config)
.then((response) => { console.log(JSON.stringify(response.data)); })
.catch((error) => { console.log(error); });
