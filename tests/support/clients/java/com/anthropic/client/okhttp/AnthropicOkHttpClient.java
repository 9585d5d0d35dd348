package com.anthropic.client.okhttp;

import com.anthropic.models.messages.MessageCreateParams;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Stands in for the official client: sends what the parameters hold, and hands on what comes back unread. */
public final class AnthropicOkHttpClient {
    private final Map<String, String> headers = new LinkedHashMap<>();
    private String baseUrl;

    public static Builder builder() {
        return new Builder();
    }

    public Messages messages() {
        return new Messages(this);
    }

    public static final class Builder {
        private final AnthropicOkHttpClient made = new AnthropicOkHttpClient();

        public Builder apiKey(String key) {
            made.headers.put("x-api-key", key);
            return this;
        }

        public Builder authToken(String token) {
            made.headers.put("authorization", "Bearer " + token);
            return this;
        }

        public Builder baseUrl(String url) {
            made.baseUrl = url;
            return this;
        }

        public AnthropicOkHttpClient build() {
            made.headers.put("anthropic-version", "2023-06-01");
            made.headers.put("content-type", "application/json");
            return made;
        }
    }

    public record Messages(AnthropicOkHttpClient client) {
        public Message create(MessageCreateParams params) throws Exception {
            return new Message(client.send(params).collect(Collectors.joining("\n")));
        }

        public StreamResponse createStreaming(MessageCreateParams params) throws Exception {
            params.body.put("stream", true);
            return new StreamResponse(client.send(params).filter(line -> line.startsWith("data:")));
        }
    }

    public record Message(String content) {
    }

    public record StreamResponse(Stream<String> lines) implements AutoCloseable {
        public Stream<Event> stream() {
            return lines.map(Event::new);
        }

        @Override
        public void close() {
            lines.close();
        }
    }

    public record Event(String data) {
        public Optional<DeltaEvent> contentBlockDelta() {
            return data.contains("content_block_delta") ? Optional.of(new DeltaEvent(data)) : Optional.empty();
        }
    }

    public record DeltaEvent(String data) {
        public Delta delta() {
            return new Delta(data);
        }
    }

    public record Delta(String data) {
        public Optional<TextDelta> text() {
            return data.contains("text_delta") ? Optional.of(new TextDelta(data)) : Optional.empty();
        }
    }

    public record TextDelta(String text) {
    }

    private Stream<String> send(MessageCreateParams params) throws Exception {
        var sent = new LinkedHashMap<>(headers);
        sent.putAll(params.headers);
        String query = params.query.entrySet().stream()
            .map(each -> encoded(each.getKey()) + "=" + encoded(each.getValue()))
            .collect(Collectors.joining("&"));
        var address = URI.create(baseUrl + "/v1/messages" + (query.isEmpty() ? "" : "?" + query));
        var request = HttpRequest.newBuilder(address).POST(HttpRequest.BodyPublishers.ofString(json(params.body)));
        sent.forEach(request::header);
        return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofLines()).body();
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private static String json(Object value) {
        if (value instanceof Map<?, ?> members) {
            return members.entrySet().stream()
                .map(each -> json(each.getKey()) + ":" + json(each.getValue()))
                .collect(Collectors.joining(",", "{", "}"));
        }
        if (value instanceof List<?> items) {
            return items.stream().map(AnthropicOkHttpClient::json).collect(Collectors.joining(",", "[", "]"));
        }
        return value instanceof String text ? quoted(text) : String.valueOf(value);
    }

    private static String quoted(String text) {
        return text.chars()
            .mapToObj(unit -> unit < ' ' || unit == '"' || unit == '\\'
                ? String.format("\\u%04x", unit)
                : String.valueOf((char) unit))
            .collect(Collectors.joining("", "\"", "\""));
    }
}
