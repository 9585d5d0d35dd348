package com.fasterxml.jackson.databind;

import com.fasterxml.jackson.core.type.TypeReference;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Stands in for Jackson's: whole numbers are exact, all others are doubles, as they are there. */
public final class ObjectMapper {
    private String text;
    private int at;

    @SuppressWarnings("unchecked")
    public <T> T readValue(String json, TypeReference<T> type) {
        text = json;
        at = 0;
        return (T) value();
    }

    private Object value() {
        switch (next()) {
            case '{': return object();
            case '[': return array();
            case '"': return string();
            case 't': at += 4; return true;
            case 'f': at += 5; return false;
            case 'n': at += 4; return null;
            default: return number();
        }
    }

    private char next() {
        while (Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return text.charAt(at);
    }

    private Map<String, Object> object() {
        Map<String, Object> members = new LinkedHashMap<>();
        for (at++; next() != '}'; skipComma()) {
            String name = string();
            next();
            at++;
            members.put(name, value());
        }
        at++;
        return members;
    }

    private List<Object> array() {
        List<Object> items = new ArrayList<>();
        for (at++; next() != ']'; skipComma()) {
            items.add(value());
        }
        at++;
        return items;
    }

    private void skipComma() {
        if (next() == ',') {
            at++;
            next();
        }
    }

    private String string() {
        StringBuilder read = new StringBuilder();
        for (at++; text.charAt(at) != '"'; at++) {
            char character = text.charAt(at);
            read.append(character == '\\' ? escaped() : character);
        }
        at++;
        return read.toString();
    }

    private char escaped() {
        char character = text.charAt(++at);
        if (character == 'u') {
            at += 4;
            return (char) Integer.parseInt(text.substring(at - 3, at + 1), 16);
        }
        int index = "bfnrt".indexOf(character);
        return index < 0 ? character : "\b\f\n\r\t".charAt(index);
    }

    private Number number() {
        int start = at;
        while ("+-.0123456789eE".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String number = text.substring(start, at);
        return number.matches("-?\\d+") ? new BigInteger(number) : (Number) Double.valueOf(number);
    }
}
