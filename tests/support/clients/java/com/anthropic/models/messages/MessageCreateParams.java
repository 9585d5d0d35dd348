package com.anthropic.models.messages;

import com.anthropic.core.JsonValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Stands in for the official client's: what its setters were given, required members checked. */
public final class MessageCreateParams {
    public final Map<String, Object> body = new LinkedHashMap<>();
    public final Map<String, String> headers = new LinkedHashMap<>();
    public final Map<String, String> query = new LinkedHashMap<>();

    public static Builder builder() {
        return new Builder();
    }

    public static final class Builder {
        private final MessageCreateParams made = new MessageCreateParams();
        private final List<Object> messages = new ArrayList<>();

        public Builder model(String value) {
            return put("model", value);
        }

        public Builder maxTokens(long value) {
            return put("max_tokens", value);
        }

        public Builder system(String value) {
            return put("system", value);
        }

        public Builder temperature(double value) {
            return put("temperature", value);
        }

        public Builder topP(double value) {
            return put("top_p", value);
        }

        public Builder topK(long value) {
            return put("top_k", value);
        }

        public Builder messages(JsonValue value) {
            return put("messages", value.value);
        }

        public Builder addUserMessage(String content) {
            messages.add(Map.of("role", "user", "content", content));
            return put("messages", messages);
        }

        public Builder addAssistantMessage(String content) {
            messages.add(Map.of("role", "assistant", "content", content));
            return put("messages", messages);
        }

        public Builder putAdditionalBodyProperty(String name, JsonValue value) {
            return put(name, value.value);
        }

        public Builder putAdditionalHeader(String name, String value) {
            made.headers.put(name, value);
            return this;
        }

        public Builder putAdditionalQueryParam(String name, String value) {
            made.query.put(name, value);
            return this;
        }

        public MessageCreateParams build() {
            for (String name : List.of("model", "max_tokens", "messages")) {
                if (made.body.get(name) == null) {
                    throw new IllegalStateException(name + " is required");
                }
            }
            return made;
        }

        private Builder put(String name, Object value) {
            made.body.put(name, value);
            return this;
        }
    }
}
