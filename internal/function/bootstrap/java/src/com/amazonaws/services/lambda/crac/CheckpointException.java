package com.amazonaws.services.lambda.crac;

/** Some resources could not be prepared; the suppressed exceptions say why. */
public class CheckpointException extends Exception {
    private static final long serialVersionUID = 1;
}
