package com.fasterxml.jackson.core.type;

/** Stands in for Jackson's. */
public abstract class TypeReference<T> {
}
