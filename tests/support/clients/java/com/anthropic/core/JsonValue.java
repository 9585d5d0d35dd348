package com.anthropic.core;

/** Stands in for the official client's: any value of JSON. */
public final class JsonValue {
    public final Object value;

    private JsonValue(Object value) {
        this.value = value;
    }

    public static JsonValue from(Object value) {
        return new JsonValue(value);
    }
}
