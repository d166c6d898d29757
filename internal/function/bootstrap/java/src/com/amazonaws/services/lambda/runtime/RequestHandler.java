package com.amazonaws.services.lambda.runtime;

/** For functions that were packed without aws-lambda-java-core. */
public interface RequestHandler<I, O> {
    O handleRequest(I input, Context context);
}
