package dev.butai.lambda;

import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.HashMap;
import java.util.Map;

/** Generic types, as far as finding out what to read JSON into needs them. */
final class Types {
    private Types() {}

    /** The class of a type; bounds stand in for variables and wildcards. */
    static Class<?> raw(Type type) {
        if (type instanceof Class) {
            return (Class<?>) type;
        }
        if (type instanceof ParameterizedType) {
            return (Class<?>) ((ParameterizedType) type).getRawType();
        }
        if (type instanceof TypeVariable) {
            return raw(((TypeVariable<?>) type).getBounds()[0]);
        }
        if (type instanceof WildcardType) {
            return raw(((WildcardType) type).getUpperBounds()[0]);
        }
        return Array.newInstance(raw(((GenericArrayType) type).getGenericComponentType()), 0).getClass();
    }

    /** The variables that a use of a generic class binds, themselves resolved. */
    static Map<TypeVariable<?>, Type> bindings(Type type, Map<TypeVariable<?>, Type> outer) {
        Map<TypeVariable<?>, Type> bound = new HashMap<>();
        if (type instanceof ParameterizedType) {
            TypeVariable<?>[] names = raw(type).getTypeParameters();
            Type[] arguments = ((ParameterizedType) type).getActualTypeArguments();
            for (int i = 0; i < names.length; i++) {
                bound.put(names[i], resolve(arguments[i], outer));
            }
        }
        return bound;
    }

    /** Replaces the variables in a type, at any depth. */
    static Type resolve(Type type, Map<TypeVariable<?>, Type> bound) {
        if (bound.isEmpty()) {
            return type;
        }
        if (type instanceof TypeVariable) {
            return bound.getOrDefault(type, type);
        }
        if (type instanceof WildcardType) {
            return resolve(((WildcardType) type).getUpperBounds()[0], bound);
        }
        if (type instanceof ParameterizedType) {
            return new Resolved((ParameterizedType) type, bound);
        }
        if (type instanceof GenericArrayType) {
            return Array.newInstance(raw(resolve(((GenericArrayType) type).getGenericComponentType(), bound)), 0).getClass();
        }
        return type;
    }

    /**
     * Argument number n that type gives to the collection or map class of, Object if it says
     * nothing.
     */
    static Type argument(Type type, Class<?> of, int n) {
        Type at = type;
        Map<TypeVariable<?>, Type> bound = bindings(type, Map.of());
        while (at != null && raw(at) != of) {
            at = resolve(supertypeTowards(raw(at), of), bound);
            bound = bindings(at, bound);
        }
        return at instanceof ParameterizedType ? ((ParameterizedType) at).getActualTypeArguments()[n] : Object.class;
    }

    private static Type supertypeTowards(Class<?> from, Class<?> to) {
        for (Type i : from.getGenericInterfaces()) {
            if (to.isAssignableFrom(raw(i))) {
                return i;
            }
        }
        return from.getGenericSuperclass();
    }

    private static final class Resolved implements ParameterizedType {
        private final ParameterizedType of;
        private final Type[] arguments;

        Resolved(ParameterizedType of, Map<TypeVariable<?>, Type> bound) {
            this.of = of;
            arguments = of.getActualTypeArguments();
            for (int i = 0; i < arguments.length; i++) {
                arguments[i] = resolve(arguments[i], bound);
            }
        }

        @Override
        public Type[] getActualTypeArguments() {
            return arguments.clone();
        }

        @Override
        public Type getRawType() {
            return of.getRawType();
        }

        @Override
        public Type getOwnerType() {
            return of.getOwnerType();
        }
    }
}
