import axios from "axios";
const api = axios.create({ baseURL: "https://api.example.test/v1", headers: { "anthropic-version": "2023-06-01" } });
const { data } = await api.post("/messages", { model: "m-1", max_tokens: 8, messages: [{ role: "user", content: "it's a \"test\" & more" }] });
