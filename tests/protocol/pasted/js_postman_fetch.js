const myHeaders = new Headers();
myHeaders.append("anthropic-version", "2023-06-01");
myHeaders.append("x-api-key", "k");

const raw = JSON.stringify({
  "model": "m-1",
  "max_tokens": 8,
  "messages": [{ "role": "user", "content": "it's a \"test\" & more" }]
});

const requestOptions = {
  method: "POST",
  headers: myHeaders,
  body: raw,
  redirect: "follow"
};

fetch("https://api.example.test/v1/messages", requestOptions)
  .then((response) => response.text())
  .then((result) => console.log(result))
  .catch((error) => console.error(error));
