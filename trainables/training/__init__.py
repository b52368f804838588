"""The parts of the training loop that `trainables.two_phase` puts together.

From the pictures to a step: `pictures` and `augment` make an epoch's views, `batches` draws its
batches (`hard_mining` those of confused classes, `class_weights` what each class counts in the
loss), `reuse` and `activations` keep what a frozen backbone computes, `forward` runs the rest.
`optimizers` and `stages` say what is trained at which rate; `parallel` averages over workers. After
an epoch, `evaluation` measures and `epoch_report` makes the record that goes to the journal.

A new augmentation is a row of `trainables.augmentations`. All random numbers come from the seeds
that are passed in, so that a trial that is repeated gives the same metrics; no module here imports
Ray.
"""
