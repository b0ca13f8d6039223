/** What the containers that move files need for themselves: names and pieces of what is on its way. */
export const FILES_VOLUME = 'pod-step-files';
export const FILES_FOLDER = '/pod-step/files';
export const FILES_SIZE = '64Mi';

/** The file there that says that the workspace is all there, and the pipe that tells who waits for it at once. */
export const UPLOADED_FILE = 'uploaded';
export const UPLOADED_PIPE = 'told';
/** The file there that says that all other containers have ended. */
export const ENDED_FILE = 'ended';
/** The file there that says that nothing more is fetched. */
export const FETCHED_FILE = 'fetched';
