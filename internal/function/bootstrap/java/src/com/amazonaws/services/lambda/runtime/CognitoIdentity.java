package com.amazonaws.services.lambda.runtime;

/** For functions that were packed without aws-lambda-java-core. */
public interface CognitoIdentity {
    String getIdentityId();

    String getIdentityPoolId();
}
